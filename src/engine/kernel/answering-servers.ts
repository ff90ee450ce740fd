/** Which servers' packets the programs look for among masqueraded connections' answers: reply_for() in bpf/find.h. */
import type { Memory } from "../host/system/libc.ts";
import { settings } from "./abi.ts";

/** By its address, folded into a word. It is told before a reply of its is entered, and stays told. */
export function tellAnswering({ bytes }: Pick<Memory, "bytes">, fold: number): void {
  const bit = Math.imul(fold, 0x61c8_8647) >>> 16;
  bytes[settings.servers + (bit >>> 3)]! |= 1 << (bit & 7);
}
