/** Who a change is by, and what is told of it. */

export interface Author {
  /** Of the process that commanded it, as the kernel says (SO_PEERCRED); null: the daemon's own. */
  readonly uid: number | null;
  /** The user's name, or what of the daemon's own doing it was: `sluice daemon --config FILE`, `the end of a drain`. */
  readonly name: string;
  /** What the caller says of itself, such as `sluice apply`; null: nothing. */
  readonly command: string | null;
}

/** What the daemon does by itself. */
export function ownDoing(name: string): Author {
  return { uid: null, name, command: null };
}

export const NOBODY_NAMED = ownDoing("sluice daemon");

export function isSameAuthor(one: Author, other: Author): boolean {
  return one.uid === other.uid && one.name === other.name && one.command === other.command;
}

export function formatAuthor({ uid, name, command }: Author): string {
  const who = uid === null || name === String(uid) ? name : `${name} (${uid})`;
  return command === null ? who : `${who}, ${command}`;
}

/** By whom a change was, and when. */
export interface Signature {
  readonly by: Author;
  /** As ISO 8601 has it. */
  readonly at: string;
}

export function sign(by: Author): Signature {
  return { by, at: new Date().toISOString() };
}

/** A change that was acknowledged. */
export interface HistoryEntry {
  readonly generation: number;
  /** As ISO 8601 has it. */
  readonly at: string;
  readonly by: Author;
  /** How many services, servers and groups of settings. */
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** The first of them in words. */
  readonly says: readonly string[];
}
