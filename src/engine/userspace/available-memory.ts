/**
 * The memory that net.ipv4.vs.amemthresh is compared with: free pages and pages of buffers, as si_meminfo() counts them.
 *
 * Read when asked for, which takes some 20 µs: the director asks once a second, and only while a defence follows memory.
 */
import { readFileSync } from "node:fs";

const AUXILIARY_VECTOR = "/proc/self/auxv";
/** AT_PAGESZ of getauxval(3), in a list of pairs of 64-bit numbers. */
const PAGE_SIZE_KEY = 6n;
const PAIR_LENGTH = 16;

/** Bytes of a page of this processor. */
const PAGE_BYTES = pageBytes(readFileSync(AUXILIARY_VECTOR));

export function availablePages(): number {
  return pagesIn(readFileSync("/proc/meminfo", "latin1"), PAGE_BYTES);
}

/** From the text of /proc/meminfo, whose numbers are KiB. */
export function pagesIn(meminfo: string, bytesPerPage: number): number {
  const kibibytes = ["MemFree", "Buffers"].map((name) => {
    const match = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(meminfo);
    if (match === null) throw new Error(`/proc/meminfo does not tell ${name}`);
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
