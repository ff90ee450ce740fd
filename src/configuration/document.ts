/** One YAML file: its values, with variables filled in, and where in the file each of them is. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parse,
  parseDocument,
  type Scalar,
  visit,
} from "yaml";
import { type ConfigurationProblem, formatPath, type Path } from "./problem.ts";
import { type Environment, substitute } from "./variables.ts";

/** Aliases that one file may have the library follow: a small file may not become a large one. */
const ALIASES_MAX = 10_000;

export class ConfigurationDocument {
  /** As it was named. */
  readonly file: string;
  /** What is wrong with it as YAML; then there is no value. */
  readonly problems: readonly ConfigurationProblem[];
  readonly value: unknown;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  constructor(file: string, text: string, environment: Environment) {
    this.file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    const problems = [...this.#document.errors, ...this.#document.warnings].map((error) =>
      this.#problemAt(error.pos[0], [], firstSentence(error.message)),
    );
    if (problems.length === 0) problems.push(...this.#fillIn(environment));
    this.problems = problems;
    this.value = problems.length === 0 ? this.#valueOr(problems) : undefined;
  }

  /** A problem with the value at `path`, or with the nearest above it that there is. */
  problem(path: Path, message: string): ConfigurationProblem {
    return this.#problemAt(this.#offsetOf(path), path, message);
  }

  /** A problem with a key of the map at `path`. */
  problemWithKey(path: Path, key: string, message: string): ConfigurationProblem {
    const map = this.#nodeAt(path);
    const pair = isMap(map)
      ? map.items.find(({ key: each }) => isScalar(each) && String(each.value) === key)
      : undefined;
    const offset = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
    return this.#problemAt(offset ?? this.#offsetOf(path), [...path, key], message);
  }

  /** `value` once more, for whoever changes it. */
  plainValue(): unknown {
    return structuredClone(this.value);
  }

  #valueOr(problems: ConfigurationProblem[]): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: ALIASES_MAX });
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      problems.push(this.#problemAt(0, [], error.message));
      return undefined;
    }
  }

  #fillIn(environment: Environment): ConfigurationProblem[] {
    const problems: ConfigurationProblem[] = [];
    visit(this.#document, {
      Alias: (_, node) => {
        if (node.resolve(this.#document) !== undefined) return;
        const message = `nothing is named &${node.source} before this`;
        problems.push(this.#problemAt(node.range?.[0] ?? 0, [], message));
      },
      Scalar: (_, node) => {
        if (typeof node.value !== "string" || !node.value.includes("${")) return;
        const { text, mistakes } = substitute(node.value, environment);
        for (const mistake of mistakes) {
          problems.push(this.#problemAt(node.range?.[0] ?? 0, [], mistake));
        }
        node.value = node.type === "PLAIN" ? plain(text) : text;
      },
    });
    return problems;
  }

  #offsetOf(path: Path): number {
    for (let length = path.length; length > 0; length--) {
      const node = this.#nodeAt(path.slice(0, length));
      if (node?.range) return node.range[0];
    }
    return this.#document.contents?.range[0] ?? 0;
  }

  #nodeAt(path: Path): Node | undefined {
    let node: unknown = this.#document.contents;
    for (const part of path) {
      if (isAlias(node)) node = node.resolve(this.#document);
      if (!isMap(node) && !isSeq(node)) return undefined;
      node = isMap(node) ? node.get(String(part), true) : (node.get(part, true) as Scalar);
    }
    return isNode(node) ? node : undefined;
  }

  #problemAt(offset: number, path: Path, message: string): ConfigurationProblem {
    const { line, col: column } = this.#lines.linePos(offset);
    return { file: this.file, line, column, path: formatPath(path), message };
  }
}

/** A number, a truth value or nothing, as YAML would have read it; anything else is text, whatever it looks like. */
function plain(text: string): unknown {
  if (!/^[-+]?[\w~][-+.\w]*$/.test(text)) return text;
  const value: unknown = parse(text);
  return typeof value === "object" && value !== null ? text : value;
}

function firstSentence(message: string): string {
  return message.split("\n", 1)[0]!;
}
