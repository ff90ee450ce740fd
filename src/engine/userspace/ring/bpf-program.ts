/**
 * Classic BPF programs, which the kernel runs on a frame before it copies anything (struct sock_filter,
 * include/uapi/linux/filter.h; Documentation/networking/filter.rst). A load beyond the frame's end drops it.
 */
import { ETHERNET_HEADER_LENGTH } from "../../../net/ethernet.ts";
import { IPV4_OFFSET } from "../../../net/ipv4.ts";
import { IPV6_OFFSET } from "../../../net/ipv6.ts";

export const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
export const LOAD_HALF = 0x28; // BPF_LD | BPF_H | BPF_ABS
export const LOAD_BYTE = 0x30; // BPF_LD | BPF_B | BPF_ABS
/** Of an IPv4 header, into the index register. */
export const LOAD_HEADER_LENGTH = 0xb1; // BPF_LDX | BPF_B | BPF_MSH
export const LOAD_INDEXED_HALF = 0x48; // BPF_LD | BPF_H | BPF_IND
export const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
export const JUMP_ANY_BIT = 0x45; // BPF_JMP | BPF_JSET | BPF_K
export const RETURN = 0x06; // BPF_RET | BPF_K

/** Loads from SKF_AD_OFF on do not read the frame, but what the kernel knows about it. */
const ANCILLARY = 0xffff_f000;
export const PROTOCOL = ANCILLARY;
export const PACKET_TYPE = ANCILLARY + 4;
export const INTERFACE_INDEX = ANCILLARY + 8;
const HARDWARE_TYPE = ANCILLARY + 28;
const VLAN_TAG_PRESENT = ANCILLARY + 48;

export const DROP = 0;
export const WHOLE_FRAME = 0xffff_ffff;

const ETHERNET = 1; // ARPHRD_ETHER

/** Where the fields lie in a frame. */
export const INET = {
  fragment: ETHERNET_HEADER_LENGTH + IPV4_OFFSET.fragment,
  protocol: ETHERNET_HEADER_LENGTH + IPV4_OFFSET.protocol,
} as const;
export const INET6 = { protocol: ETHERNET_HEADER_LENGTH + IPV6_OFFSET.nextHeader } as const;

const INSTRUCTION_LENGTH = 8;

export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** Drops frames of interfaces without an Ethernet header: the loopback, TUN, WireGuard, IP tunnels. */
export const ETHERNET_ONLY: readonly Instruction[] = [
  [LOAD_WORD, 0, 0, HARDWARE_TYPE],
  [JUMP_EQUAL, 1, 0, ETHERNET],
  [RETURN, 0, 0, DROP],
];

/** Drops frames with a VLAN tag: they come again, without it, from the VLAN's own interface. */
export const UNTAGGED_ONLY: readonly Instruction[] = [
  [LOAD_WORD, 0, 0, VLAN_TAG_PRESENT],
  [JUMP_EQUAL, 1, 0, 0],
  [RETURN, 0, 0, DROP],
];

/** Returns `answer` when what was loaded is one of `values`. */
export function answers(values: Iterable<number>, answer: number): Instruction[] {
  return [...values].flatMap((value): Instruction[] => [
    [JUMP_EQUAL, 0, 1, value],
    [RETURN, 0, 0, answer],
  ]);
}

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
