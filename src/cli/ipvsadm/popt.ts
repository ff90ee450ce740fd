/**
 * Reads words as popt does, one option at a time.
 *
 * Options and other words may mix; the other words are kept for later. Short options bundle (`-Ln`), an argument may
 * follow in the same word (`-w5`, `-w=5`, `--weight=5`) or be the next word, whatever it looks like. An optional
 * argument is the next word unless that begins with `-`. After `--` nothing is an option.
 */
import { SPELLINGS, type Spelling, type Tag } from "./grammar.ts";

/** Why a word is not an option, as poptStrerror() words it. */
type PoptFault = "unknown option" | "missing argument" | "option does not take an argument";

export interface PoptOption {
  readonly tag: Tag;
  readonly argument: string | undefined;
  /** The whole word that it was read from: what messages quote. */
  readonly word: string;
}

export interface PoptError {
  readonly fault: PoptFault;
  readonly word: string;
}

/** Yields until the words end or one is not an option; `leftover` collects the words that are none. */
export function* readOptions(
  words: readonly string[],
  leftover: string[],
): Generator<PoptOption | PoptError> {
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") {
      leftover.push(...rest);
      return;
    }
    if (!word.startsWith("-") || word === "-") {
      leftover.push(word);
    } else if (word.startsWith("--")) {
      yield readLong(word, rest);
    } else {
      yield* readBundle(word, rest);
    }
  }
}

function readLong(word: string, rest: string[]): PoptOption | PoptError {
  const [, name, attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const spelling = SPELLINGS.find(({ long }) => long === name);
  if (spelling === undefined) return { fault: "unknown option", word };
  return withArgument(spelling, attached, word, rest);
}

function* readBundle(word: string, rest: string[]): Generator<PoptOption | PoptError> {
  let letters = word.slice(1);
  while (letters !== "") {
    const spelling = SPELLINGS.find(({ short }) => short === letters[0]);
    if (spelling === undefined) {
      yield { fault: "unknown option", word };
      return;
    }
    letters = letters.slice(1);
    const isAttached = letters.startsWith("=") || (letters !== "" && spelling.argument !== "none");
    const attached = isAttached ? letters.replace(/^=/, "") : undefined;
    if (isAttached) letters = "";
    yield withArgument(spelling, attached, word, rest);
  }
}

function withArgument(
  { tag, argument }: Spelling,
  attached: string | undefined,
  word: string,
  rest: string[],
): PoptOption | PoptError {
  if (argument === "none") {
    if (attached !== undefined) return { fault: "option does not take an argument", word };
    return { tag, argument: undefined, word };
  }
  if (attached !== undefined) return { tag, argument: attached, word };
  const isNextTaken = argument === "required" || rest[0]?.startsWith("-") === false;
  const next = isNextTaken ? rest.shift() : undefined;
  if (next === undefined && argument === "required") return { fault: "missing argument", word };
  return { tag, argument: next, word };
}
