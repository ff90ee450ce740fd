/** What stands for something else in a shell's words: variables, commands' outputs, patterns of file names. */
import type { Work } from "../time/waiting.ts";
import { type Files, resolvePath } from "./files.ts";
import type { Part } from "./lexer.ts";
import type { Process } from "./process.ts";
import type { Word } from "./script.ts";
import type { ShellState } from "./shell.ts";

interface Source {
  /** How the last command ended. */
  status(): number;
  /** What a script writes. */
  output(script: string, process: Process): Work<string>;
}

export class Expansion {
  readonly #state: ShellState;
  readonly #files: Files;
  readonly #source: Source;

  constructor(state: ShellState, files: Files, source: Source) {
    this.#state = state;
    this.#files = files;
    this.#source = source;
  }

  /** As one text, whatever is in it: what assignments and redirections take. */
  *text(word: Word, process: Process): Work<string> {
    let text = "";
    for (const part of word) text += yield* this.#value(part, process);
    return text;
  }

  /** As words: what is not quoted may be several, or none. */
  *fields(word: Word, process: Process): Work<readonly string[]> {
    const fields: { text: string; pattern: string; isQuoted: boolean }[] = [];
    let isOpen = false;
    const append = (text: string, isQuoted: boolean): void => {
      if (!isOpen) fields.push({ text: "", pattern: "", isQuoted: false });
      isOpen = true;
      const last = fields.at(-1)!;
      last.text += text;
      last.pattern += isQuoted ? escaped(text) : text.split("*").map(escaped).join("[^/]*");
      last.isQuoted ||= isQuoted;
    };
    for (const part of word) {
      const value = yield* this.#value(part, process);
      if (part.isQuoted || part.kind === "text") {
        append(value, part.isQuoted);
        continue;
      }
      const pieces = value.split(/\s+/);
      for (const [index, piece] of pieces.entries()) {
        if (index > 0) isOpen = false;
        if (piece !== "") append(piece, false);
      }
    }
    return fields.flatMap(({ text, pattern }) =>
      pattern.includes("[^/]*") ? this.#matching(text, pattern) : [text],
    );
  }

  *#value(part: Part, process: Process): Work<string> {
    switch (part.kind) {
      case "text":
        return part.text;
      case "command":
        return yield* this.#source.output(part.script, process);
      case "variable":
        return this.#variable(part.name, process);
    }
  }

  #variable(name: string, process: Process): string {
    switch (name) {
      case "?":
        return `${this.#source.status()}`;
      case "!":
        return `${this.#state.lastBackground?.id ?? ""}`;
      case "$":
        return `${process.id}`;
      default:
        return this.#state.variables.get(name) ?? "";
    }
  }

  /** The files that the pattern fits; itself when there are none. */
  #matching(text: string, pattern: string): readonly string[] {
    const { directory } = this.#state;
    const isAbsolute = text.startsWith("/");
    const full = isAbsolute ? pattern : `${escaped(directory)}/${pattern}`;
    const wanted = new RegExp(`^${full}$`);
    const found = new Set<string>();
    for (const path of this.#files.paths()) {
      const parts = path.split("/");
      const depth = resolvePath(directory, text).split("/").length;
      const candidate = parts.slice(0, depth).join("/");
      if (parts.length >= depth && wanted.test(candidate)) {
        found.add(isAbsolute ? candidate : candidate.slice(directory.length + 1));
      }
    }
    return found.size === 0 ? [text] : [...found].toSorted();
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
