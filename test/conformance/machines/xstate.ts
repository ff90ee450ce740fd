/** Whether this processor's floating point state is more than User Mode Linux can give back (xstate.c says why). */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const COMPLETES_XSTATE = join(import.meta.dirname, "xstate.c");

/** getauxval(3): the smallest stack for a signal. The kernel says it since 5.14, AMX came with 5.16. */
const AT_MINSIGSTKSZ = 51n;
const ENTRY_BYTES = 16;

/**
 * Of that the state is all but some 940 bytes (init_sigframe_size(), arch/x86/kernel/signal.c): 1,776 with AVX, 3,632
 * with AVX-512 and protection keys, which is what the buffer of 2,696 bytes holds, and 11,952 with AMX.
 * scripts/setup has the same number, for the compiler.
 */
const SIGNAL_STACK_MAX = 3720n;

export function isStateLargerThanBuffer(
  auxiliaryVector: Buffer = readFileSync("/proc/self/auxv"),
): boolean {
  for (let at = 0; at + ENTRY_BYTES <= auxiliaryVector.length; at += ENTRY_BYTES) {
    if (auxiliaryVector.readBigUInt64LE(at) !== AT_MINSIGSTKSZ) continue;
    return auxiliaryVector.readBigUInt64LE(at + ENTRY_BYTES / 2) > SIGNAL_STACK_MAX;
  }
  return false;
}
