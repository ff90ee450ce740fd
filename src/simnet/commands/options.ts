/** Options as getopt(3) reads them: short ones joined or apart, values joined or apart. */

export interface ReadOptions {
  /** By letter or long name; "" for those without a value. */
  readonly values: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
  /** Why it cannot be read, in getopt's words without the program's name. */
  readonly fault: string | undefined;
}

/** `letters` as getopt takes them: a letter with a value is followed by a colon. */
export function readOptions(
  words: readonly string[],
  letters: string,
  longNames: Readonly<Record<string, boolean>> = {},
): ReadOptions {
  const values = new Map<string, string>();
  const operands: string[] = [];
  const failed = (fault: string): ReadOptions => ({ values, operands, fault });
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") {
      operands.push(...words.slice(at + 1));
      break;
    }
    if (word.startsWith("--")) {
      const [name = "", joined] = word.slice(2).split(/=(.*)/s);
      const takesValue = longNames[name];
      if (takesValue === undefined) return failed(`unrecognized option '${word}'`);
      const value = takesValue ? (joined ?? words[++at]) : "";
      if (value === undefined) return failed(`option '--${name}' requires an argument`);
      values.set(name, value);
    } else if (word.startsWith("-") && word !== "-") {
      for (let letterAt = 1; letterAt < word.length; letterAt++) {
        const letter = word[letterAt]!;
        const place = letter === ":" ? -1 : letters.indexOf(letter);
        if (place < 0) return failed(`invalid option -- '${letter}'`);
        if (letters[place + 1] !== ":") {
          values.set(letter, "");
          continue;
        }
        const joined = word.slice(letterAt + 1);
        const value = joined === "" ? words[++at] : joined;
        if (value === undefined) return failed(`option requires an argument -- '${letter}'`);
        values.set(letter, value);
        break;
      }
    } else operands.push(word);
  }
  return { values, operands, fault: undefined };
}
