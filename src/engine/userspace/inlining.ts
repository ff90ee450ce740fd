/**
 * How much V8 may inline.
 *
 * The packet path is many small functions that call each other. V8 inlines callees until a function has taken in 920
 * bytes of bytecode; from then on each accessor is a call, some thirty of them for a packet. With 3000 all of the path
 * fits: a packet of a known flow takes a quarter less time (bench/memory.ts); beyond, nothing is gained.
 */
import { setFlagsFromString } from "node:v8";

/** For the whole process; to be called before the packet path is compiled. A V8 without the flag complains and goes on. */
export function inlineThePacketPath(): void {
  setFlagsFromString("--max-inlined-bytecode-size-cumulative=3000");
}
