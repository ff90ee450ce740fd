/**
 * What must be the same of a packet that leaves, whoever sends it: not the numbers that tell fragments of one packet from
 * another's, and not a tunnel's checksum over a packet whose own is wrong, for the program makes it of that.
 */
import { GRE_FLAG, GRE_OFFSET } from "../../src/net/gre.ts";
import { IP_PROTOCOL } from "../../src/net/ip-protocol.ts";
import { IPV4_HEADER_LENGTH, IPV4_OFFSET } from "../../src/net/ipv4.ts";
import { IPV6_HEADER_LENGTH } from "../../src/net/ipv6.ts";
import { UDP_OFFSET } from "../../src/net/udp.ts";
import { readUint16, writeUint16 } from "../../src/net/words.ts";
import { writeTrueChecksums } from "../packets/true-checksums.ts";

/** Where the tests' servers take GUE, and nothing else. */
export const GUE_PORT = 6080;

const GUE_LENGTH = 12;
const GRE_LENGTH = 8;
const FRAGMENT = 0x3fff;
const FRAGMENT_HEADER = 44;
const IDENTIFICATION_AT = 4;

export function comparable(packet: Uint8Array): Uint8Array {
  const copy = packet.slice();
  const isInet = copy[0]! >>> 4 === 4;
  const next = isInet ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const protocol = copy[isInet ? IPV4_OFFSET.protocol : 6]!;
  if (!isInet && protocol === FRAGMENT_HEADER) copy.fill(0, next + IDENTIFICATION_AT, next + 8);
  const isPart = isInet && (readUint16(copy, IPV4_OFFSET.fragment) & FRAGMENT) !== 0;
  const isInTunnel = !isPart && isTunnel(copy, protocol, next);
  if (isInet && (isPart || isInTunnel)) {
    writeUint16(copy, IDENTIFICATION_AT, 0);
    writeUint16(copy, IPV4_OFFSET.checksum, 0);
  }
  if (isInTunnel) forgetSum(copy, protocol, next);
  return copy;
}

function isTunnel(packet: Uint8Array, protocol: number, next: number): boolean {
  if (protocol === IP_PROTOCOL.udp) {
    return readUint16(packet, next + UDP_OFFSET.destination) === GUE_PORT;
  }
  return [IP_PROTOCOL.ipip, IP_PROTOCOL.ipv6, IP_PROTOCOL.gre].some((each) => each === protocol);
}

function forgetSum(packet: Uint8Array, protocol: number, next: number): void {
  if (protocol === IP_PROTOCOL.udp && isWrong(packet.subarray(next + GUE_LENGTH))) {
    writeUint16(packet, next + UDP_OFFSET.checksum, 0);
  }
  const hasSum = (readUint16(packet, next + GRE_OFFSET.flags) & GRE_FLAG.checksum) !== 0;
  if (protocol === IP_PROTOCOL.gre && hasSum && isWrong(packet.subarray(next + GRE_LENGTH))) {
    writeUint16(packet, next + GRE_OFFSET.optional, 0);
  }
}

/** Whether the packet's checksums are not those that it should have. */
function isWrong(packet: Uint8Array): boolean {
  const right = packet.slice();
  try {
    writeTrueChecksums(right);
  } catch {
    return true;
  }
  return Buffer.compare(right, packet) !== 0;
}
