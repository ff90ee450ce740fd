/**
 * The lines that keepalived.conf means: with what is included, definitions put in, conditions kept or not, sequences
 * carried out. In this order keepalived does it, too (read_line() in its lib/parser.c).
 */
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { Notes } from "../told.ts";
import { decomment } from "./comments.ts";
import { Definitions, definitionIn, type Line } from "./definitions.ts";
import { type Files, glob, isPattern } from "./glob.ts";
import { repeatIn } from "./repeats.ts";
import { wordsOf } from "./words.ts";

export interface SourceFiles extends Files {
  /** The text, or why there is none. */
  read(path: string): { readonly text: string } | { readonly why: string };
}

export interface ReadingOptions {
  readonly files: SourceFiles;
  /** What `@id` lines are compared with: keepalived's `--config-id`. */
  readonly id: string;
  readonly notes: Notes;
  /** Of what sequences make at most. */
  readonly linesMax?: number;
}

const LINES_MAX = 1_000_000;
/** Of definitions in definitions, sequences in sequences, files in files. */
const DEPTH_MAX = 100;

/** keepalived tells what it does not find for some of them; we do for these. */
const INCLUDES = ["include", "includer", "includem", "includew", "includeb", "includea"];
const TELLS_EMPTY = ["includew", "includea"];

const END = Symbol("end");

/** All lines of a file, with those of the files that it includes; none of them is empty. */
export function* linesOf(
  path: string,
  text: string,
  options: ReadingOptions,
): Generator<Line, void> {
  const reading = new Reading(options);
  try {
    yield* reading.file(path, text);
  } catch (error) {
    if (error !== END) throw error;
  }
}

class Reading {
  readonly #files: SourceFiles;
  readonly #id: string;
  readonly #notes: Notes;
  readonly #definitions = new Definitions();
  readonly #open: string[] = [];
  #linesLeft: number;

  constructor({ files, id, notes, linesMax = LINES_MAX }: ReadingOptions) {
    this.#files = files;
    this.#id = id;
    this.#notes = notes;
    this.#linesLeft = linesMax;
    const at = { file: "", line: 0 };
    for (const [name, value] of [
      ["_INSTANCE", id],
      ["_HASH", "#"],
      ["_BANG", "!"],
    ] as const) {
      this.#definitions.define(name, [{ text: value, at }]);
    }
  }

  *file(path: string, text: string): Generator<Line, void> {
    this.#open.push(resolve(path));
    this.#enter(path);
    const lines = text.split(/\r?\n/);
    for (let index = 0; index < lines.length; index++) {
      const line = decomment(lines[index]!);
      const at = { file: path, line: index + 1 };
      const condition = this.#conditioned(line);
      const definition = condition === undefined ? undefined : definitionIn(condition);
      if (definition?.value.endsWith("\\")) {
        const body = [{ text: definition.value, at }];
        // An empty line ends it, even where the one before has a `\`.
        while (body.at(-1)!.text.endsWith("\\") && index + 1 < lines.length) {
          const next = decomment(lines[index + 1]!);
          if (next === "") break;
          index++;
          body.push({ text: next, at: { file: path, line: index + 1 } });
        }
        this.#definitions.define(definition.name, continued(body));
      } else if (line !== "") {
        yield* this.#process({ text: line, at }, 0);
      }
    }
    this.#open.pop();
    this.#enter(this.#open.at(-1) ?? path);
  }

  /** keepalived goes into the folder of the file that it reads. */
  #enter(path: string): void {
    const at = { file: path, line: 0 };
    this.#definitions.define("_PWD", [{ text: dirname(resolve(path)), at }]);
  }

  *#process(line: Line, depth: number): Generator<Line, void> {
    const { at } = line;
    if (depth > DEPTH_MAX) {
      this.#notes.dropped(at, line.text, "its definitions have no end");
      return;
    }
    let text = line.text;
    for (;;) {
      const condition = this.#conditioned(text);
      if (condition === undefined || condition === "") return;
      text = condition;
      const definition = definitionIn(text);
      if (definition !== undefined) {
        this.#definitions.define(definition.name, [{ text: definition.value, at }]);
        return;
      }
      if (text.startsWith("~")) return yield* this.#repeat({ text, at }, depth);
      const substituted = this.#substituted({ text, at });
      if (substituted === undefined) break;
      text = substituted.text.trim();
      if (substituted.following.length > 0) {
        for (const each of [{ text, at }, ...substituted.following]) {
          yield* this.#process(each, depth + 1);
        }
        return;
      }
    }
    const [keyword = "", pattern, ...more] = wordsOf(text);
    if (INCLUDES.includes(keyword) && pattern !== undefined && more.length === 0) {
      return yield* this.#include({ text, at }, keyword, pattern);
    }
    if (this.#linesLeft-- <= 0) {
      this.#notes.dropped(at, text, "and all that follows: its sequences make too many lines");
      throw END;
    }
    yield { text, at };
  }

  /** Without its `@id`; undefined when the line is another machine's. */
  #conditioned(text: string): string | undefined {
    if (!text.startsWith("@")) return text;
    const [, isNot, id, rest] = /^@(\^?)([^ \t]*)[ \t]+(.*)$/s.exec(text) ?? [];
    if (id === undefined || (id === this.#id) === (isNot === "^")) return undefined;
    return this.#conditioned(rest!);
  }

  *#repeat(line: Line, depth: number): Generator<Line, void> {
    const repeat = repeatIn(line.text);
    if (repeat === undefined) {
      this.#notes.dropped(line.at, line.text, REPEATS);
      return;
    }
    for (const round of repeat.rounds) {
      for (const [name, text] of round) {
        this.#definitions.define(name, [{ text, at: line.at }]);
      }
      yield* this.#process({ text: repeat.rest, at: line.at }, depth + 1);
      // Also sequences of nothing have an end.
      if (this.#linesLeft-- <= 0) throw END;
    }
  }

  #substituted(line: Line): ReturnType<Definitions["substitute"]> {
    try {
      return this.#definitions.substitute(line.text);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#notes.dropped(line.at, line.text, error.message);
      return { text: "", following: [] };
    }
  }

  *#include(line: Line, keyword: string, pattern: string): Generator<Line, void> {
    const { at } = line;
    const path = isAbsolute(pattern) ? pattern : join(dirname(at.file), pattern);
    const found = glob(path, this.#files);
    if (found.length === 0 && (!isPattern(path) || TELLS_EMPTY.includes(keyword))) {
      this.#notes.dropped(at, line.text, "there is no such file");
    }
    for (const each of found) {
      if (this.#open.includes(resolve(each)) || this.#open.length > DEPTH_MAX) {
        this.#notes.dropped(at, line.text, `${basename(each)} would include itself`);
        continue;
      }
      const file = this.#files.read(each);
      if ("why" in file) this.#notes.dropped(at, line.text, `${each}: ${file.why}`);
      else yield* this.file(each, file.text);
    }
  }
}

const REPEATS =
  "expected such as ~SEQ(NAME, first, step, last) TEXT or ~LST(NAME, one, other) TEXT";

/** The lines without the `\` that ends all but the last; blank ones are none. */
function continued(lines: readonly Line[]): readonly Line[] {
  return lines
    .map(({ text, at }) => ({ text: text.replace(/[ \t]*\\$/, ""), at }))
    .filter(({ text }) => text !== "");
}
