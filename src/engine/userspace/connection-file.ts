/**
 * The file that the connection table lies in, so that it outlives the process: mapped, not read and written.
 *
 *      0       text: whose it is and how it is laid out (identity())
 *      1024    how many records and slots were ever used
 *      1088    keepers (door/keepers.ts)
 *      4096    records, then slots of persistence engines' data
 *
 * Whoever finds another text begins anew, with a new file in the place of the old one: a file that somebody maps never
 * shrinks. Pages are provided before they are written, because a write to a page that a full file system lacks ends the
 * process (SIGBUS). docs/decisions/0008-connections-outlive-the-process.md
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CHUNK_BYTES,
  LAYOUT,
  RECORD_BYTES,
  type TableMemory,
} from "../../ipvs/connections/table-memory.ts";
import { errnoName, lock, Memory, provide } from "../host/system/libc.ts";
import { ConnectionFileError, type ConnectionHold, openOwn } from "./connection-hold.ts";
import { KEEPER_WORDS, KEEPERS_AT, Keepers } from "./door/keepers.ts";

const AT = { text: 0, ends: 1024, keepers: KEEPERS_AT, records: 4096 } as const;
const TEXT_LENGTH = AT.ends - AT.text;
const MAGIC = "sluice connections ";
const PAGE = 4096;

/** How many bytes of records are provided at once. */
const PROVIDED_BYTES = 0x4_0000;
/** After the file system had no more. */
const PROVIDE_AGAIN_MS = 1_000;

/** A process that was killed has its lock until the last of its threads has ended. */
const LOCK_MS = 2_000;
const RETRY_MS = 10;

export interface ConnectionFileOptions {
  readonly path: string;
  /** Connections at most. */
  readonly limit: number;
  /** Whether connections that lie there are to be adopted; otherwise they are forgotten. */
  readonly adopts: boolean;
  /** Whether the file is to be found by the next process. */
  readonly stays: boolean;
  /** What has it locked already: taken. */
  readonly hold?: ConnectionHold | undefined;
  readonly events: {
    warn(message: string, error: unknown): void;
    inform(message: string): void;
  };
}

export class ConnectionFile implements Disposable {
  readonly memory: TableMemory;
  readonly keepers: Keepers;
  readonly #fd: number;
  readonly #mapped: Memory[];

  private constructor(fd: number, { limit, events }: ConnectionFileOptions) {
    this.#fd = fd;
    const attempt = "map the connection table's file";
    const records = Memory.shared(fd, AT.records + limit * RECORD_BYTES, attempt);
    this.#mapped = [records];
    const { buffer } = records.bytes;
    this.keepers = new Keepers(new Float64Array(buffer, AT.keepers, KEEPER_WORDS));
    let refusedAt = Number.NEGATIVE_INFINITY;
    const provided = (offset: number, length: number): boolean => {
      if (performance.now() - refusedAt < PROVIDE_AGAIN_MS) return false;
      const refusal = provide(fd, offset, length);
      if (refusal === 0) return true;
      if (refusedAt === Number.NEGATIVE_INFINITY) {
        events.warn(
          "the file system of the connection table's file is full: there is no room for more connections, new ones are dropped",
          new ConnectionFileError(`posix_fallocate: ${errnoName(refusal)}`),
        );
      }
      refusedAt = performance.now();
      return false;
    };
    this.memory = {
      words: new Int32Array(buffer, AT.records, (limit * RECORD_BYTES) >>> 2),
      ends: new Int32Array(buffer, AT.ends, 2),
      room(wanted) {
        const from = AT.records + (wanted - 1) * RECORD_BYTES;
        const end = Math.min(from + PROVIDED_BYTES, AT.records + limit * RECORD_BYTES);
        if (!provided(from, end - from)) return wanted - 1;
        return Math.floor((end - AT.records) / RECORD_BYTES);
      },
      chunk: (index) => {
        const offset = slotsAt(limit) + index * CHUNK_BYTES;
        if (!provided(offset, CHUNK_BYTES)) return undefined;
        const chunk = Memory.shared(fd, CHUNK_BYTES, attempt, offset);
        this.#mapped.push(chunk);
        return chunk.bytes;
      },
    };
  }

  /** Opens or makes it. Undefined when the place cannot be used, which is warned of: connections then end with the process. */
  static async open(options: ConnectionFileOptions): Promise<ConnectionFile | undefined> {
    let fd: number | undefined;
    try {
      fd = await openOrMake(options);
      const file = new ConnectionFile(fd, options);
      if (!options.stays) unlinkSync(options.path);
      return file;
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      options.events.warn("connections will not outlive this process", error);
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    for (const each of this.#mapped) each[Symbol.dispose]();
    closeSync(this.#fd);
  }
}

/** A locked file that is laid out for us. */
async function openOrMake(options: ConnectionFileOptions): Promise<number> {
  const found = await openLocked(options);
  if (found === undefined) return make(options, []);
  try {
    const text = readText(found);
    const why = options.adopts ? whyNot(text, found, options) : "it was asked for";
    if (why === undefined) return found;
    options.events.inform(`begins with no connections: ${why} (${options.path})`);
    const made = make(options, keepersOf(found, text));
    closeSync(found);
    return made;
  } catch (error) {
    closeSync(found);
    throw error;
  }
}

/** Undefined when there is none. */
async function openLocked({ path, hold }: ConnectionFileOptions): Promise<number | undefined> {
  const until = performance.now() + LOCK_MS;
  for (;;) {
    const fd = hold?.take() ?? openOwn(path);
    if (fd === undefined) return undefined;
    // Its last user's keeper may remove it just now.
    if (lock(fd) === 0 && fstatSync(fd).ino === lstatSync(path, { throwIfNoEntry: false })?.ino)
      return fd;
    closeSync(fd);
    if (performance.now() > until) {
      throw new ConnectionFileError(`${path} is in use by another process`);
    }
    await sleep(RETRY_MS);
  }
}

/** A new file with the keepers of the old one. */
function make(options: ConnectionFileOptions, keepers: Uint8Array | readonly number[]): number {
  const { path, limit } = options;
  const next = `${path}.new`;
  rmSync(next, { force: true });
  const { O_RDWR, O_NOFOLLOW, O_CREAT, O_EXCL } = constants;
  const fd = openSync(next, O_RDWR | O_NOFOLLOW | O_CREAT | O_EXCL, 0o600);
  try {
    if (lock(fd) !== 0) throw new ConnectionFileError(`${next} is in use by another process`);
    ftruncateSync(fd, slotsAt(limit));
    const refusal = provide(fd, 0, AT.records);
    if (refusal !== 0) {
      throw new ConnectionFileError(`there is no room for ${next}: ${errnoName(refusal)}`);
    }
    writeSync(fd, Uint8Array.from(keepers), 0, keepers.length, AT.keepers);
    writeSync(fd, textFor(limit), AT.text);
    renameSync(next, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Why the file cannot be gone on with; undefined when it can. */
function whyNot(text: string, fd: number, { limit }: ConnectionFileOptions): string | undefined {
  const wanted = textFor(limit);
  if (text !== wanted) {
    const [theirs, ours] = [identityIn(text), identityIn(wanted)!];
    if (theirs === undefined) return "what was found is no connection table";
    if (theirs.boot !== ours.boot) return "the host was started anew";
    if (theirs.layout !== ours.layout) return "another version of Sluice left them";
    if (theirs.namespace !== ours.namespace) return "they are of another network namespace";
    return `the table was for ${theirs.limit} connections, and is now for ${limit}`;
  }
  if (fstatSync(fd).size < slotsAt(limit)) return "what was found ends too early";
  const ends = new Int32Array(2);
  readSync(fd, ends, 0, ends.byteLength, AT.ends);
  const [records, slots] = ends as unknown as [number, number];
  if (records < 0 || records > limit || slots < 0 || slots > limit) {
    return "what was found says that more connections were used than there can be";
  }
  return undefined;
}

function keepersOf(fd: number, text: string): Uint8Array {
  const keepers = new Uint8Array(KEEPER_WORDS * Float64Array.BYTES_PER_ELEMENT);
  const isOfThisBoot = identityIn(text)?.boot === bootId();
  if (isOfThisBoot) readSync(fd, keepers, 0, keepers.length, AT.keepers);
  return keepers;
}

interface Identity {
  readonly layout: string;
  readonly boot: string;
  readonly namespace: string;
  readonly limit: number;
}

function textFor(limit: number): string {
  const { ino, dev } = statSync("/proc/self/ns/net");
  const identity: Identity = {
    layout: createHash("sha256")
      .update(`${LAYOUT} ${JSON.stringify(AT)}`)
      .digest("hex")
      .slice(0, 16),
    boot: bootId(),
    namespace: `${dev}:${ino}`,
    limit,
  };
  return `${MAGIC}${JSON.stringify(identity)}\n`;
}

function readText(fd: number): string {
  const bytes = Buffer.alloc(TEXT_LENGTH);
  readSync(fd, bytes, 0, TEXT_LENGTH, AT.text);
  return bytes.subarray(0, bytes.indexOf(0)).toString("latin1");
}

function identityIn(text: string): Identity | undefined {
  if (!text.startsWith(MAGIC)) return undefined;
  try {
    return JSON.parse(text.slice(MAGIC.length)) as Identity;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

/** Where slots begin, at a page's beginning. */
function slotsAt(limit: number): number {
  return AT.records + Math.ceil((limit * RECORD_BYTES) / PAGE) * PAGE;
}
