/** Which frames the engine's packet ring receives, as a classic BPF program. */
import type { Address, Family } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import {
  answers,
  assemble,
  DROP,
  ETHER_TYPES,
  ETHERNET_ONLY,
  INET,
  INET6,
  INSTRUCTIONS_MAX,
  INTERFACE_INDEX,
  type Instruction,
  JUMP,
  JUMP_EQUAL,
  LOAD_BYTE,
  LOAD_WORD,
  PACKET_TYPE,
  PROTOCOL,
  RETURN,
  UNTAGGED_ONLY,
  WHOLE_FRAME,
} from "./bpf-program.ts";

const OTHER_HOST = 3; // PACKET_OTHERHOST

/** What services are of. Everything else (ICMP, what follows extension headers) may speak of their connections. */
const TRANSPORTS = [IP_PROTOCOL.tcp, IP_PROTOCOL.udp, IP_PROTOCOL.sctp] as const;

/** Interfaces and addresses that one program can name: the kernel takes 4096 instructions (BPF_MAXINSNS). */
const INTERFACES_MAX = 1000;
const ADDRESSES_MAX = 250;

export interface FrameFilter {
  readonly ignoredInterfaces: Iterable<number>;
  /** Undefined: all. A few others may come, too: a filter is for speed. */
  readonly addresses: Iterable<Address> | undefined;
}

/**
 * The program that takes ARP, and IPv4 and IPv6 frames meant for this host whose packets are to or from one of
 * `addresses`, or are no TCP, UDP or SCTP; and drops what else there is:
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
  const inet = takePackets(INET, wanted, "inet");
  const inet6 = takePackets(INET6, wanted, "inet6");
  const programs = [
    [inet, inet6],
    // What does not fit becomes coarser, the longer part first.
    inet.length > inet6.length ? [EVERYTHING, inet6] : [inet, EVERYTHING],
    [EVERYTHING, EVERYTHING],
  ].map(([first, second]) => program(ignored, first!, second!));
  return assemble(programs.find(({ length }) => length <= INSTRUCTIONS_MAX)!);
}

function program(
  ignored: readonly number[],
  inet: readonly Instruction[],
  inet6: readonly Instruction[],
): Instruction[] {
  return [
    ...ETHERNET_ONLY,
    [LOAD_WORD, 0, 0, PACKET_TYPE],
    [JUMP_EQUAL, 0, 1, OTHER_HOST],
    [RETURN, 0, 0, DROP],
    ...UNTAGGED_ONLY,
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
  ];
}

const EVERYTHING: readonly Instruction[] = [[RETURN, 0, 0, WHOLE_FRAME]];

/** Decides about a frame of `family`: it always returns. */
function takePackets(
  at: typeof INET | typeof INET6,
  addresses: readonly Address[] | undefined,
  family: Family,
): readonly Instruction[] {
  if (addresses === undefined) return EVERYTHING;
  const words = new Set(addresses.filter((each) => each.family === family).map(({ w3 }) => w3));
  if (words.size > ADDRESSES_MAX) return EVERYTHING;
  if (words.size === 0) return [[RETURN, 0, 0, DROP]];
  return [
    [LOAD_BYTE, 0, 0, at.protocol],
    ...TRANSPORTS.map(
      (protocol, index): Instruction => [JUMP_EQUAL, TRANSPORTS.length - index, 0, protocol],
    ),
    ...EVERYTHING,
    [LOAD_WORD, 0, 0, at.destination],
    ...answers(words, WHOLE_FRAME),
    [LOAD_WORD, 0, 0, at.source],
    ...answers(words, WHOLE_FRAME),
    [RETURN, 0, 0, DROP],
  ];
}
