/** Lines of keepalived.conf as statements: words, and for some of them a block of others. */
import type { Notes, Place } from "../told.ts";
import type { Line } from "./definitions.ts";
import { wordsOf } from "./words.ts";

export interface Statement {
  readonly at: Place;
  /** As it stands there, for those that have their own way with quotes. */
  readonly text: string;
  /** At least one: the keyword. */
  readonly words: readonly string[];
  /** Undefined when there are no braces. */
  readonly block: readonly Statement[] | undefined;
}

interface Growing extends Statement {
  block: Growing[] | undefined;
}

/** Braces may stand anywhere: at the end of the line, alone on the next, several on one. */
export function statementsOf(lines: Iterable<Line>, notes: Notes): readonly Statement[] {
  const top: Growing[] = [];
  const blocks: Growing[][] = [top];
  const openers: Growing[] = [];
  for (const { text, at } of lines) {
    for (const piece of piecesOf(text)) {
      const block = blocks.at(-1)!;
      if (piece === "{") {
        const last = block.at(-1);
        const opener =
          last === undefined || last.block !== undefined ? nameless(block, at, notes) : last;
        opener.block = [];
        openers.push(opener);
        blocks.push(opener.block);
      } else if (piece === "}") {
        if (blocks.length === 1) notes.note(at, text, "a } that closes nothing is passed over");
        else {
          blocks.pop();
          openers.pop();
        }
      } else {
        const words = wordsOf(piece);
        if (words.length > 0) block.push({ at, text: piece, words, block: undefined });
      }
    }
  }
  for (const opener of openers) {
    notes.note(opener.at, opener.text, "its } is missing: it goes to the end of the file");
  }
  return top;
}

/** A block that nothing introduces. */
function nameless(block: Growing[], at: Place, notes: Notes): Growing {
  notes.note(at, "{", "a { after nothing that it could belong to");
  const statement = { at, text: "{", words: ["{"], block: undefined };
  block.push(statement);
  return statement;
}

/** The line at its braces; those in quotes and those of `${NAME}` are none. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const [part] of text.matchAll(/"[^"]*"?|\$\{[A-Za-z_]\w*\}|[{}]|[^"{}$]+|\$/g)) {
    if (part === "{" || part === "}") {
      pieces.push(piece.trim(), part);
      piece = "";
    } else piece += part;
  }
  pieces.push(piece.trim());
  return pieces.filter((each) => each !== "");
}
