/** Reads a block by a table of its keys. */
import { nearest } from "../../base/nearest.ts";
import type { Notes, Place } from "../told.ts";
import type { Statement } from "./statements.ts";
import type { Taker } from "./values.ts";

/** What becomes of a key: a value of the result, a block that is read by its own table, or nothing, and why. */
export type Key<Result> =
  | {
      readonly to: keyof Result & string;
      readonly takes: Taker;
      /** keepalived takes the first of several, or has them all; else it is the last that counts. */
      readonly repeated?: "first" | "all";
    }
  | { readonly block: true }
  | { readonly dropped: string };

export type KeyTable<Result> = Readonly<Record<string, Key<Result>>>;

export interface ReadBlock<Result> {
  readonly values: Partial<Result>;
  /** Where each value stands. */
  readonly places: Readonly<Partial<Record<keyof Result, Place>>>;
  /** Those that have tables of their own, in their order. */
  readonly blocks: readonly Statement[];
}

/** What is unknown or makes no sense is told, and passed over. */
export function readBlock<Result>(
  statements: readonly Statement[],
  table: KeyTable<Result>,
  notes: Notes,
): ReadBlock<Result> {
  const values: Record<string, unknown> = {};
  const places: Record<string, Place> = {};
  const blocks: Statement[] = [];
  for (const statement of statements) {
    const { at, text, words } = statement;
    const keyword = words[0]!;
    const key = Object.hasOwn(table, keyword) ? table[keyword]! : undefined;
    if (key === undefined) {
      notes.dropped(at, text, unknown(keyword, Object.keys(table)));
    } else if ("dropped" in key) {
      notes.dropped(at, text, key.dropped);
    } else if ("block" in key) {
      blocks.push(statement);
    } else {
      if (statement.block !== undefined) notes.dropped(at, `${text} {`, NO_BLOCK);
      const taken = key.takes(statement);
      if ("why" in taken) {
        notes.dropped(at, text, taken.why);
        continue;
      }
      if (taken.odd !== undefined) notes.note(at, text, taken.odd);
      if (key.repeated === "first" && Object.hasOwn(values, key.to)) {
        notes.dropped(at, text, `the first ${keyword} counts`);
        continue;
      }
      values[key.to] =
        key.repeated === "all"
          ? [...((values[key.to] as unknown[] | undefined) ?? []), taken.value]
          : taken.value;
      places[key.to] = at;
    }
  }
  // The table says which values there are.
  return {
    values: values as Partial<Result>,
    places: places as ReadBlock<Result>["places"],
    blocks,
  };
}

const NO_BLOCK = "this keyword has no block: what is in it is not read";

function unknown(keyword: string, known: readonly string[]): string {
  if (/^(\/\/|\/\*|--|;)/.test(keyword))
    return "keepalived's comments begin with # or !, no others";
  const meant = nearest(keyword, known);
  return meant === undefined
    ? `there is no ${keyword} here (does a } before it stand too early, or is one missing?)`
    : `there is no ${keyword} here: did you mean ${meant}?`;
}
