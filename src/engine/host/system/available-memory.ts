/**
 * The memory that net.ipv4.vs.amemthresh is compared with: free pages and pages of buffers, as si_meminfo() counts them.
 *
 * Read when asked for, which takes some 20 µs: the director asks once a second, and only while a defence follows memory.
 * The file stays open: when descriptors are short memory may be, too.
 */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const AUXILIARY_VECTOR = "/proc/self/auxv";
/** AT_PAGESZ of getauxval(3), in a list of pairs of 64-bit numbers. */
const PAGE_SIZE_KEY = 6n;
const PAIR_LENGTH = 16;

const MEMORY_INFORMATION = "/proc/meminfo";
/** What is looked for stands in its first lines. */
const READ_LENGTH = 4096;

export class AvailableMemory implements Disposable {
  readonly #onTrouble: (error: unknown) => void;
  readonly #fd = openSync(MEMORY_INFORMATION, "r");
  readonly #bytesPerPage = pageBytes(readFileSync(AUXILIARY_VECTOR));
  readonly #buffer = Buffer.alloc(READ_LENGTH);
  /** Before it was read once nothing is short. */
  #pages = Number.POSITIVE_INFINITY;

  /** `onTrouble`: it could not be read; what was known last is what pages() says. */
  constructor(onTrouble: (error: unknown) => void) {
    this.#onTrouble = onTrouble;
  }

  pages(): number {
    try {
      const length = readSync(this.#fd, this.#buffer, 0, READ_LENGTH, 0);
      this.#pages = pagesIn(this.#buffer.toString("latin1", 0, length), this.#bytesPerPage);
    } catch (error) {
      this.#onTrouble(error);
    }
    return this.#pages;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** From the text of /proc/meminfo, whose numbers are KiB. */
export function pagesIn(meminfo: string, bytesPerPage: number): number {
  const kibibytes = ["MemFree", "Buffers"].map((name) => {
    const match = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(meminfo);
    if (match === null) throw new Error(`${MEMORY_INFORMATION} does not tell ${name}`);
    return Number(match[1]);
  });
  return Math.floor((kibibytes.reduce((sum, each) => sum + each, 0) * 1024) / bytesPerPage);
}

/** From the bytes of /proc/self/auxv. */
export function pageBytes(auxiliary: Buffer): number {
  for (let at = 0; at + PAIR_LENGTH <= auxiliary.length; at += PAIR_LENGTH) {
    if (auxiliary.readBigUInt64LE(at) === PAGE_SIZE_KEY) {
      return Number(auxiliary.readBigUInt64LE(at + 8));
    }
  }
  throw new Error(`${AUXILIARY_VECTOR} does not tell the size of a page`);
}
