/** A packet as a frame at the network card, and as one on its way into the lane (lane-frame.ts). */
import { LANE_WAYS, laneMac, MARK_AT } from "../../src/engine/userspace/door/lane-frame.ts";
import type { Host } from "../../src/ipvs/host.ts";
import { NO_ARRIVAL, Packet } from "../../src/ipvs/packets/packet.ts";
import * as checksum from "../../src/net/checksum.ts";
import { IPV4_OFFSET } from "../../src/net/ipv4.ts";
import { IPV6_OFFSET } from "../../src/net/ipv6.ts";
import { readUint16, writeUint16 } from "../../src/net/words.ts";

export const ETHERNET_LENGTH = 14;

const DONT_FRAGMENT = 0x4000;

/** The second one of packets that came with "don't fragment". */
const WAYS = {
  "local-in": [LANE_WAYS.input, LANE_WAYS.inputDontFragment],
  forward: [LANE_WAYS.forward, LANE_WAYS.forwardDontFragment],
} as const;

export function cardFrame(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ETHERNET_LENGTH + packet.length);
  frame.set(packet[0]! >>> 4 === 6 ? [0x86, 0xdd] : [0x08, 0x00], ETHERNET_LENGTH - 2);
  frame.set(packet, ETHERNET_LENGTH);
  return frame;
}

export interface LaneParts {
  readonly hook: "local-in" | "forward";
  readonly mark: number;
  readonly host: Host;
}

/** Undefined of a packet that the host would not have let come so far. */
export function laneFrame(
  packet: Uint8Array,
  { hook, mark, host }: LaneParts,
): Uint8Array | undefined {
  const read = new Packet();
  if (read.moveTo(packet, 0, packet.length, NO_ARRIVAL) !== undefined || read.isFragment) return;
  if (read.timeToLive === 0 || read.end !== packet.length) return;
  const isInput = hook === "local-in";
  if (host.isLocal(read.destination) !== isInput) return;
  if (!isInput && !host.isForwarding(read.family === 4 ? "inet" : "inet6")) return;
  const frame = cardFrame(packet);
  const isInet = read.family === 4;
  if (isInet && (checksum.sum(packet, 0, read.transport) !== 0xffff || read.transport > 20)) return;
  const isWhole = isInet && read.ipv4.dontFragment;
  frame.set(laneMac(WAYS[hook][isWhole ? 1 : 0]));
  new DataView(frame.buffer).setUint32(MARK_AT, mark, true);
  const inner = frame.subarray(ETHERNET_LENGTH);
  if (isInet) takeFromInet(inner, isInput);
  else if (isInput) inner[IPV6_OFFSET.hopLimit]!--;
  return frame;
}

/**
 * nf_dup_ipv4() takes one from the time to live of what is for the host and sets "don't fragment"; the door clears the bit again
 * where it was not set.
 */
function takeFromInet(packet: Uint8Array, isInput: boolean): void {
  const field = readUint16(packet, IPV4_OFFSET.fragment);
  if (isInput) packet[IPV4_OFFSET.timeToLive]!--;
  writeUint16(packet, IPV4_OFFSET.fragment, field | DONT_FRAGMENT);
  writeUint16(packet, IPV4_OFFSET.checksum, 0);
  writeUint16(packet, IPV4_OFFSET.checksum, checksum.complement(checksum.sum(packet, 0, 20)));
  writeUint16(packet, IPV4_OFFSET.fragment, field);
}
