/** Which frames a decapsulator's packet ring receives: tunnel packets for this host, of a few interfaces. */
import { ETHERNET_HEADER_LENGTH, ETHERTYPE } from "../../../net/ethernet.ts";
import { IP_PROTOCOL } from "../../../net/ip-protocol.ts";
import { IPV6_HEADER_LENGTH } from "../../../net/ipv6.ts";
import { UDP_OFFSET } from "../../../net/udp.ts";
import {
  answers,
  assemble,
  DROP,
  ETHERNET_ONLY,
  INET,
  INET6,
  INTERFACE_INDEX,
  type Instruction,
  JUMP_ANY_BIT,
  JUMP_EQUAL,
  LOAD_BYTE,
  LOAD_HALF,
  LOAD_HEADER_LENGTH,
  LOAD_INDEXED_HALF,
  LOAD_WORD,
  PACKET_TYPE,
  PROTOCOL,
  RETURN,
  UNTAGGED_ONLY,
  WHOLE_FRAME,
} from "./bpf-program.ts";

export interface TunnelFilter {
  readonly interfaces: Iterable<number>;
  /** Undefined takes no UDP. */
  readonly guePort: number | undefined;
}

const THIS_HOST = 0; // PACKET_HOST

const INET6_UDP = ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH;
/** More fragments, or an offset. */
const IS_FRAGMENT = 0x3fff;

/** IP in IP, either family in it; GRE. */
const TUNNELS = [IP_PROTOCOL.ipip, IP_PROTOCOL.ipv6, IP_PROTOCOL.gre] as const;

/**
 * The program that takes IP in IP, GRE and UDP to `guePort` when it is addressed to this host and comes in by one of
 * `interfaces`, without a VLAN tag. Fragments of UDP, and of anything over IPv6, do not show what they are: all are
 * taken.
 */
export function tunnelFilter({ interfaces, guePort }: TunnelFilter): Uint8Array {
  const wanted = [...new Set(interfaces)];
  const inet = takeInet(guePort);
  return assemble([
    ...ETHERNET_ONLY,
    [LOAD_WORD, 0, 0, PACKET_TYPE],
    [JUMP_EQUAL, 1, 0, THIS_HOST],
    [RETURN, 0, 0, DROP],
    ...UNTAGGED_ONLY,
    [LOAD_WORD, 0, 0, INTERFACE_INDEX],
    ...wanted.map((index, at): Instruction => [JUMP_EQUAL, wanted.length - at, 0, index]),
    [RETURN, 0, 0, DROP],
    [LOAD_WORD, 0, 0, PROTOCOL],
    [JUMP_EQUAL, 0, inet.length, ETHERTYPE.ipv4],
    ...inet,
    [JUMP_EQUAL, 1, 0, ETHERTYPE.ipv6],
    [RETURN, 0, 0, DROP],
    ...takeInet6(guePort),
  ]);
}

/** Always returns. */
function takeInet(guePort: number | undefined): Instruction[] {
  const udp: Instruction[] = [
    [JUMP_EQUAL, 1, 0, IP_PROTOCOL.udp],
    [RETURN, 0, 0, DROP],
    [LOAD_HALF, 0, 0, INET.fragment],
    [JUMP_ANY_BIT, 0, 1, IS_FRAGMENT],
    [RETURN, 0, 0, WHOLE_FRAME],
    [LOAD_HEADER_LENGTH, 0, 0, ETHERNET_HEADER_LENGTH],
    [LOAD_INDEXED_HALF, 0, 0, ETHERNET_HEADER_LENGTH + UDP_OFFSET.destination],
    ...answers(guePort === undefined ? [] : [guePort], WHOLE_FRAME),
  ];
  return [
    [LOAD_BYTE, 0, 0, INET.protocol],
    ...answers(TUNNELS, WHOLE_FRAME),
    ...(guePort === undefined ? [] : udp),
    [RETURN, 0, 0, DROP],
  ];
}

/** Always returns. */
function takeInet6(guePort: number | undefined): Instruction[] {
  const udp: Instruction[] = [
    [JUMP_EQUAL, 1, 0, IP_PROTOCOL.udp],
    [RETURN, 0, 0, DROP],
    [LOAD_HALF, 0, 0, INET6_UDP + UDP_OFFSET.destination],
    ...answers(guePort === undefined ? [] : [guePort], WHOLE_FRAME),
  ];
  return [
    [LOAD_BYTE, 0, 0, INET6.protocol],
    ...answers([...TUNNELS, IP_PROTOCOL.fragment], WHOLE_FRAME),
    ...(guePort === undefined ? [] : udp),
    [RETURN, 0, 0, DROP],
  ];
}
