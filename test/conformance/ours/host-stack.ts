/** What the director's host does with packets that the director leaves to it: nothing listens there. */
import { isAnswerable, notice } from "../../../src/ipvs/forward/notices.ts";
import type { Packet } from "../../../src/ipvs/packets/packet.ts";
import { IP_PROTOCOL } from "../../../src/net/ip-protocol.ts";
import { TCP_FLAG } from "../../../src/net/tcp.ts";
import type { Frame } from "../case.ts";
import { framed, HOST, routed } from "../laboratory.ts";

/** The wire of answers whose bytes do not matter: a TCP reset, an echo reply. */
export const HOST_WIRE = "host";

const TCP_FLAGS_AT = 13;
const ECHO_REQUESTS: readonly number[] = [8, 128];

export function hostAnswers(packet: Packet): Frame[] {
  if (packet.isSourceMartian) return [];
  const isOwn = HOST.isLocal(packet.destination);
  if (!isOwn && packet.hook === "wire") return forwardedOn(packet);
  // What a mark brought: over IPv4 a host sends nothing from an address that it has not (ip_route_output_key()).
  if (!isOwn && packet.family === 4) return [];
  const { bytes, transport } = packet;
  switch (packet.protocol) {
    case IP_PROTOCOL.tcp:
      return (bytes[transport + TCP_FLAGS_AT]! & TCP_FLAG.rst) === 0 ? [ANSWER] : [];
    case IP_PROTOCOL.udp:
      return isAnswerable(packet)
        ? [routed(notice(packet, packet.destination, { kind: "port-unreachable" }))]
        : [];
    case IP_PROTOCOL.sctp:
      return [];
    default:
      return ECHO_REQUESTS.includes(bytes[transport]!) ? [ANSWER] : [];
  }
}

const ANSWER: Frame = { wire: HOST_WIRE, bytes: new Uint8Array() };

/** As a router does. */
function forwardedOn(packet: Packet): Frame[] {
  const route = HOST.route(packet.destination);
  if (typeof route === "string" || packet.timeToLive <= 1) return [];
  packet.decrementTimeToLive();
  return [framed(packet.bytes.slice(packet.start, packet.end), route)];
}
