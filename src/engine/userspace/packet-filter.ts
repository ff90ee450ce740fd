/**
 * Which frames a packet ring receives, as a classic BPF program that the kernel runs before it copies anything
 * (struct sock_filter, include/uapi/linux/filter.h; Documentation/networking/filter.rst).
 */

import type { Address, Family } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";

const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const LOAD_BYTE = 0x30; // BPF_LD | BPF_B | BPF_ABS
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP = 0x05; // BPF_JMP | BPF_JA
const RETURN = 0x06; // BPF_RET | BPF_K

/** Loads from SKF_AD_OFF on do not read the frame, but what the kernel knows about it. */
const ANCILLARY = 0xffff_f000;
const PROTOCOL = ANCILLARY;
const PACKET_TYPE = ANCILLARY + 4;
const INTERFACE_INDEX = ANCILLARY + 8;
const HARDWARE_TYPE = ANCILLARY + 28;
const VLAN_TAG_PRESENT = ANCILLARY + 48;

const DROP = 0;
const WHOLE_FRAME = 0xffff_ffff;

const OTHER_HOST = 3; // PACKET_OTHERHOST
const ETHERNET = 1; // ARPHRD_ETHER
const ETHER_TYPES = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

/** Where the fields lie in a frame. Of an IPv6 address the last word is enough to tell most strangers by. */
const INET = { protocol: 23, source: 26, destination: 30 } as const;
const INET6 = { protocol: 20, source: 22 + 12, destination: 38 + 12 } as const;

/** What services are of. Everything else (ICMP, what follows extension headers) may speak of their connections. */
const TRANSPORTS = [IP_PROTOCOL.tcp, IP_PROTOCOL.udp, IP_PROTOCOL.sctp] as const;

const INSTRUCTION_LENGTH = 8;

/** Interfaces and addresses that one program can name: the kernel takes 4096 instructions (BPF_MAXINSNS). */
const INTERFACES_MAX = 1000;
const ADDRESSES_MAX = 250;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

export interface FrameFilter {
  readonly ignoredInterfaces: Iterable<number>;
  /** Undefined: all. A few others may come, too: a filter is for speed. */
  readonly addresses: Iterable<Address> | undefined;
}

/**
 * The program that takes ARP, and IPv4 and IPv6 frames meant for this host whose packets are to or from one of
 * `addresses` or are no TCP, UDP or SCTP; and drops what else there is:
 * - frames of interfaces without an Ethernet header (the loopback, TUN, WireGuard, IP tunnels);
 * - frames for other hosts, which a promiscuous interface shows;
 * - frames with a VLAN tag: they come again, without it, from the VLAN's own interface;
 * - frames of `ignoredInterfaces`: the host lane, and the ports of bridges and bonds, whose frames come
 *   again from the bridge or bond.
 *
 * Throws a RangeError for more interfaces than INTERFACES_MAX.
 */
export function receiveFilter({ ignoredInterfaces, addresses }: FrameFilter): Uint8Array {
  const ignored = [...new Set(ignoredInterfaces)];
  if (ignored.length > INTERFACES_MAX) {
    throw new RangeError(
      `Cannot ignore ${ignored.length} interfaces: expected ${INTERFACES_MAX} or fewer`,
    );
  }
  const wanted = addresses === undefined ? undefined : [...addresses];
  const inet = takeAddresses(INET, wanted, "inet");
  const inet6 = takeAddresses(INET6, wanted, "inet6");
  return assemble([
    [LOAD_WORD, 0, 0, HARDWARE_TYPE],
    [JUMP_EQUAL, 1, 0, ETHERNET],
    [RETURN, 0, 0, DROP],
    [LOAD_WORD, 0, 0, PACKET_TYPE],
    [JUMP_EQUAL, 0, 1, OTHER_HOST],
    [RETURN, 0, 0, DROP],
    [LOAD_WORD, 0, 0, VLAN_TAG_PRESENT],
    [JUMP_EQUAL, 1, 0, 0],
    [RETURN, 0, 0, DROP],
    [LOAD_WORD, 0, 0, INTERFACE_INDEX],
    ...answers(ignored, DROP),
    [LOAD_WORD, 0, 0, PROTOCOL],
    [JUMP_EQUAL, 0, 1, ETHER_TYPES.arp],
    [RETURN, 0, 0, WHOLE_FRAME],
    [JUMP_EQUAL, 1, 0, ETHER_TYPES.ipv4],
    [JUMP, 0, 0, inet.length],
    ...inet,
    [JUMP_EQUAL, 1, 0, ETHER_TYPES.ipv6],
    [RETURN, 0, 0, DROP],
    ...inet6,
  ]);
}

/** Decides about a frame of `family`: it always returns. */
function takeAddresses(
  at: typeof INET | typeof INET6,
  addresses: readonly Address[] | undefined,
  family: Family,
): Instruction[] {
  const all: Instruction = [RETURN, 0, 0, WHOLE_FRAME];
  if (addresses === undefined) return [all];
  const words = new Set(addresses.filter((each) => each.family === family).map(({ w3 }) => w3));
  if (words.size > ADDRESSES_MAX) return [all];
  if (words.size === 0) return [[RETURN, 0, 0, DROP]];
  return [
    [LOAD_BYTE, 0, 0, at.protocol],
    ...TRANSPORTS.map(
      (protocol, index): Instruction => [JUMP_EQUAL, TRANSPORTS.length - index, 0, protocol],
    ),
    all,
    [LOAD_WORD, 0, 0, at.destination],
    ...answers(words, WHOLE_FRAME),
    [LOAD_WORD, 0, 0, at.source],
    ...answers(words, WHOLE_FRAME),
    [RETURN, 0, 0, DROP],
  ];
}

/** Returns `answer` when what was loaded is one of `values`. */
function answers(values: Iterable<number>, answer: number): Instruction[] {
  return [...values].flatMap((value): Instruction[] => [
    [JUMP_EQUAL, 0, 1, value],
    [RETURN, 0, 0, answer],
  ]);
}

function assemble(instructions: readonly Instruction[]): Uint8Array {
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
