/** `${NAME}` and `${NAME:-otherwise}` in a text, from the environment; `$${` stands for `${` itself. */

export type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = /\$\$\{|\$\{([^}]*)\}?/g;
const NAME = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** The text with the variables' values, and what is wrong with those that have none. */
export function substitute(
  text: string,
  environment: Environment,
): { readonly text: string; readonly mistakes: readonly string[] } {
  const mistakes: string[] = [];
  const replaced = text.replace(VARIABLE, (whole, inside: string | undefined) => {
    if (inside === undefined) return "${";
    const [, name, otherwise] = NAME.exec(inside) ?? [];
    if (name === undefined || !whole.endsWith("}")) {
      mistakes.push(`cannot read ${whole} as a variable: expected \${NAME} or \${NAME:-otherwise}`);
      return whole;
    }
    const value = environment[name];
    if (value !== undefined && (value !== "" || otherwise === undefined)) return value;
    if (otherwise !== undefined) return otherwise;
    mistakes.push(
      `the environment has no variable ${name}: set it, or write \${${name}:-otherwise}`,
    );
    return whole;
  });
  return { text: replaced, mistakes };
}
