/** What is wrong with a configuration, and where. */

export interface ConfigurationProblem {
  /** As it was named, or found by an `include`. */
  readonly file: string;
  /** From 1; undefined for the file as a whole. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** `services[0].destinations[1].weight`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** All that is wrong, in the order of the files and their lines; nothing of it was put in force. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    super(problems.map(formatProblem).join("\n"));
    this.problems = problems;
  }
}

/** `sluice.yaml:12:7: services[0].port: expected an integer from 0 to 65535, got "ten"`. */
export function formatProblem({ file, line, column, path, message }: ConfigurationProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  return path === "" ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}

export type Path = readonly PropertyKey[];

export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");
}
