/** `$NAME=VALUE` in keepalived.conf, and what stands for `$NAME` and `${NAME}` then. */
import type { Place } from "../told.ts";

/** A line of a definition, and where it stands. */
export interface Line {
  readonly text: string;
  readonly at: Place;
}

/** The first line goes where the name stood, all others follow. */
type Definition = readonly Line[];

export interface Substituted {
  readonly text: string;
  /** The other lines of a definition of many that ended the line. */
  readonly following: readonly Line[];
}

const DEFINES = /^\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*(.*)$/s;
const REFERENCE =
  /\$\{([A-Za-z_][A-Za-z0-9_]*)((?: +\d+)*)\}|\$([A-Za-z_][A-Za-z0-9_]*)(?=[ \t]|$)/g;

/** A line does not become longer: a definition that holds itself would have no end. */
const LENGTH_MAX = 65_536;
const REPLACEMENTS_MAX = 1_000;

/** Of what the definition is, and how its value begins; undefined when the line defines nothing. */
export function definitionIn(text: string): { name: string; value: string } | undefined {
  const [, name, value] = DEFINES.exec(text) ?? [];
  return name === undefined ? undefined : { name, value: value! };
}

export class Definitions {
  readonly #byName = new Map<string, Definition>();

  define(name: string, lines: Definition): void {
    this.#byName.set(name, lines);
  }

  /** Undefined when nothing is to be replaced; throws a RangeError when it has no end. */
  substitute(start: string): Substituted | undefined {
    let text = start;
    let following: readonly Line[] = [];
    let from = 0;
    let replaced = 0;
    while (following.length === 0) {
      const found = this.#find(text, from);
      if (found === undefined) break;
      const [first, ...others] = found.lines;
      text = text.slice(0, found.index) + (first?.text ?? "") + text.slice(found.end);
      following = others;
      from = found.index;
      replaced++;
      if (replaced > REPLACEMENTS_MAX || text.length > LENGTH_MAX) {
        throw new RangeError("its definitions have no end");
      }
      // What it stands for begins anew as a line of its own: ~SEQ() and such.
      if (first?.text.trimStart().startsWith("~")) break;
    }
    return replaced === 0 ? undefined : { text, following };
  }

  #find(text: string, from: number): { index: number; end: number; lines: Definition } | undefined {
    REFERENCE.lastIndex = from;
    for (let match = REFERENCE.exec(text); match !== null; match = REFERENCE.exec(text)) {
      const [whole, braced, parameters = "", bare] = match;
      const end = match.index + whole.length;
      const lines = this.#linesOf(braced ?? bare!, parameters);
      // One of many lines has to end the line.
      if (lines !== undefined && (lines.length < 2 || end === text.length)) {
        return { index: match.index, end, lines };
      }
      REFERENCE.lastIndex = match.index + 1;
    }
    return undefined;
  }

  #linesOf(name: string, parameters: string): Definition | undefined {
    const own = this.#byName.get(name);
    if (own !== undefined || name !== "_RANDOM") return own;
    // Chance would make every import another one; the least value is one that it may have.
    return [{ text: /\d+/.exec(parameters)?.[0] ?? "0", at: { file: "", line: 0 } }];
  }
}
