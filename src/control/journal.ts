/**
 * The journal's text: a line for each change, appended and on disk before the change is acknowledged, and then a mark.
 *
 *     CRC32 SEQUENCE JSON     a change; the checksum is over all that follows it
 *     CRC32 SEQUENCE          all changes up to this one are on disk
 *
 * A line that is not whole is one of two things. Where it is the last, and no mark says that it was on disk, it was being
 * written when the daemon ended: nobody was told that it is in force. Anywhere else it was damaged later.
 */
import { crc32 } from "node:zlib";
import { StateFileError } from "./state-file-error.ts";
import type { ChangeJson } from "./wire-schema.ts";

const NEWLINE = 0x0a;
/** A mark at the end of the text; what stands before it may be damaged. */
const LAST_MARK = /([0-9a-f]{8}) ([0-9]{1,16})\n$/;
const LAST_MARK_LENGTH = 26;
const LINE = /^([0-9a-f]{8}) (([0-9]{1,16})(?: (.*))?)$/s;

export interface JournalRecord {
  readonly sequence: number;
  readonly change: ChangeJson;
  /** Where its line begins, in bytes. */
  readonly at: number;
}

export interface Journal {
  readonly records: readonly JournalRecord[];
  /** Bytes at its end that were being written when the daemon ended. */
  readonly torn: number;
}

export function recordLine(sequence: number, change: object): string {
  return line(`${sequence} ${JSON.stringify(change)}`);
}

export function markLine(sequence: number): string {
  return line(`${sequence}`);
}

function line(text: string): string {
  return `${checksum(text)} ${text}\n`;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

/** Reads what lies in `path`. Throws a StateFileError that says where it is damaged. */
export function readJournal(bytes: Buffer, path: string): Journal {
  const records: JournalRecord[] = [];
  let at = 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    const read = newline < 0 ? undefined : readLine(bytes.toString("utf8", at, newline));
    const last = records.at(-1)?.sequence;
    if (read === undefined) {
      const isOnDisk = (acknowledged(bytes) ?? -1) > (last ?? -1);
      if (end < bytes.length || isOnDisk) throw damaged(path, at);
      return { records, torn: bytes.length - at };
    }
    const { sequence, json } = read;
    if (json === undefined) {
      if (sequence !== last) throw damaged(path, at);
    } else {
      if (last !== undefined && sequence !== last + 1) throw damaged(path, at);
      records.push({ sequence, change: JSON.parse(json) as ChangeJson, at });
    }
    at = end;
  }
  return { records, torn: 0 };
}

function readLine(
  text: string,
): { readonly sequence: number; readonly json: string | undefined } | undefined {
  const [, digits, checked, sequence, json] = LINE.exec(text) ?? [];
  if (checked === undefined || checksum(checked) !== digits) return undefined;
  return { sequence: Number(sequence), json };
}

/** The change up to which all are on disk, as the last mark says. */
function acknowledged(bytes: Buffer): number | undefined {
  const end = bytes.toString("latin1", Math.max(0, bytes.length - LAST_MARK_LENGTH));
  const [, digits, sequence] = LAST_MARK.exec(end) ?? [];
  return sequence !== undefined && checksum(sequence) === digits ? Number(sequence) : undefined;
}

function damaged(path: string, at: number): StateFileError {
  return damagedJournal(path, `it is damaged at byte ${at}`);
}

export function damagedJournal(path: string, why: string): StateFileError {
  return new StateFileError(
    `Cannot use the changes in ${path}: ${why}. Put the file back from a copy, or move it away to go on without the changes in it.`,
  );
}
