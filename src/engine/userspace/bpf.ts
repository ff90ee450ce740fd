/** Classic BPF, as far as our filters need it: struct sock_filter, include/uapi/linux/filter.h and bpf_common.h. */

export const BPF = {
  loadWord: 0x20, // BPF_LD | BPF_W | BPF_ABS
  loadHalf: 0x28, // BPF_LD | BPF_H | BPF_ABS
  loadByte: 0x30, // BPF_LD | BPF_B | BPF_ABS
  /** From the index register on. */
  loadHalfIndexed: 0x48, // BPF_LD | BPF_H | BPF_IND
  /** The index register becomes the length of the IPv4 header there, in bytes. */
  loadHeaderLength: 0xb1, // BPF_LDX | BPF_B | BPF_MSH
  and: 0x54, // BPF_ALU | BPF_AND | BPF_K
  jump: 0x05, // BPF_JMP | BPF_JA
  jumpEqual: 0x15, // BPF_JMP | BPF_JEQ | BPF_K
  jumpGreater: 0x25, // BPF_JMP | BPF_JGT | BPF_K
  jumpGreaterOrEqual: 0x35, // BPF_JMP | BPF_JGE | BPF_K
  jumpSet: 0x45, // BPF_JMP | BPF_JSET | BPF_K
  return: 0x06, // BPF_RET | BPF_K
} as const;

/** Jumps are relative to the next instruction. */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

export const DROP = 0;
export const WHOLE_FRAME = 0xffff_ffff;

const INSTRUCTION_LENGTH = 8;

/** The longest program that the kernel takes (BPF_MAXINSNS). */
export const INSTRUCTIONS_MAX = 4096;

export function assemble(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_LENGTH);
  const view = new DataView(bytes.buffer);
  instructions.forEach(([code, ifTrue, ifFalse, value], index) => {
    const at = index * INSTRUCTION_LENGTH;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, ifTrue);
    view.setUint8(at + 3, ifFalse);
    view.setUint32(at + 4, value, true);
  });
  return bytes;
}
