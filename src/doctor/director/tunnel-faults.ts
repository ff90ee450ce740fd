/** What tunnels' headers leave of the way to a server, beside what clients send. */
import { tunnelOverhead } from "../../ipvs/forward/tunnel.ts";
import type { Address } from "../../net/address.ts";
import { toPort } from "../../net/port.ts";
import { advice, commands, type Finding } from "../finding.ts";
import { silencesTooBig } from "../host/firewall.ts";
import type { DirectorFacts, ServerSeen } from "./facts.ts";
import { counted, removal } from "./rule-words.ts";

/** No host of IPv6 sends smaller packets because a path is narrow: RFC 8200 section 5. */
const INET6_LEAST = 1_280;

export interface Room {
  readonly seen: ServerSeen;
  /** What this host believes that the way takes. */
  readonly believed: number;
  /** What it takes; the same where it was not asked. */
  readonly carried: number;
  readonly header: number;
  /** What clients' packets may have for themselves. */
  readonly left: number;
  /** What clients' packets may have at most when they arrive here. */
  readonly arriving: number;
}

/** Undefined for what is no tunnel, and where the way is unknown. */
export function roomOf(facts: DirectorFacts, seen: ServerSeen): Room | undefined {
  const { service, server, believedMtu, carriedMtu } = seen;
  const { forwarding, address } = server;
  if (forwarding.kind !== "tunnel" || believedMtu === undefined) return undefined;
  const tunnel =
    forwarding.encapsulation === "gue"
      ? { ...forwarding, port: toPort(forwarding.port) }
      : forwarding;
  const header = tunnelOverhead(tunnel, address);
  const carried = Math.min(believedMtu, carriedMtu ?? believedMtu);
  const arriving = arrivingMtu(facts, service.vip) ?? believedMtu;
  return { seen, believed: believedMtu, carried, header, left: carried - header, arriving };
}

/** The MTU of the link by which clients' packets come. */
function arrivingMtu({ vips, interfaces }: DirectorFacts, vip: Address | undefined) {
  const card = vips.find((each) => vip !== undefined && each.vip.equals(vip))?.card;
  return interfaces.find(({ name }) => name === card)?.mtu;
}

export function* tunnelFaults(facts: DirectorFacts): Generator<Finding> {
  const rooms = facts.servers.flatMap((seen) => roomOf(facts, seen) ?? []);
  yield* icmpBlocked(facts, rooms);
  for (const room of rooms) {
    yield* pathTooSmall(room);
    yield* tooSmallForInet6(room);
  }
}

function* icmpBlocked({ firewall }: DirectorFacts, rooms: readonly Room[]): Generator<Finding> {
  // Where all that arrives fits into the tunnels, nobody has to be told anything.
  const tight = rooms.find(({ left, arriving }) => left < arriving);
  if (tight === undefined) return;
  for (const rule of firewall) {
    if ((rule.hook !== "output" && rule.hook !== "postrouting") || !silencesTooBig(rule)) continue;
    yield {
      code: "icmp-blocked",
      about: "tunnels",
      says: "this host's firewall keeps its 'fragmentation needed' from leaving",
      evidence: `${counted(rule)}; ${arithmetic(tight)}`,
      leadsTo:
        "clients are never told that tunnels take room: their full packets are dropped, small pages work, uploads hang",
      remedy: removal(rule, "let ICMP type 3 code 4 (ICMPv6 type 2) pass"),
    };
  }
}

/** On the way something takes less than this host believes, and says nothing of it. */
function* pathTooSmall(room: Room): Generator<Finding> {
  const { seen, believed, carried, left, arriving } = room;
  if (carried >= believed || left >= arriving) return;
  const { address } = seen.server;
  yield {
    code: "tunnel-path-mtu",
    about: `${seen.service.name} -> ${address.toString()}`,
    says: `the way to ${address.toString()} takes packets of ${carried} bytes, and this host believes ${believed}`,
    evidence: `an echo of ${carried} bytes that must not be cut is answered, one of ${carried + 1} is not, and nobody says why; ${arithmetic(room)}`,
    leadsTo: `clients are told that ${believed - room.header} bytes are left: their full packets vanish inside of the tunnel, small pages work, uploads hang`,
    remedy: mtuRemedy(room),
  };
}

function mtuRemedy({ seen, carried }: Room) {
  const { route, server } = seen;
  if (route.kind !== "out") return advice(`set the route's MTU to ${carried}`);
  const via = route.hasGateway ? ` via ${route.nextHop.toString()}` : "";
  const family = server.address.family === "inet6" ? " -6" : "";
  return commands(
    `ip${family} route replace ${server.address.toString()}${via} dev ${route.interfaceName} mtu ${carried}`,
  );
}

function* tooSmallForInet6(room: Room): Generator<Finding> {
  const { seen, left } = room;
  const { vip, name } = seen.service;
  if (vip?.family !== "inet6" || left >= INET6_LEAST) return;
  yield {
    code: "tunnel-too-small",
    about: `${name} -> ${seen.server.address.toString()}`,
    says: `${left} bytes are left for clients' packets, and IPv6 has none smaller than ${INET6_LEAST}`,
    evidence: arithmetic(room),
    leadsTo: "clients' full packets never fit, whatever they are told: uploads hang",
    remedy: advice(`raise the MTU of the way to ${INET6_LEAST + room.header} bytes or more`),
  };
}

/** `the way to 192.168.150.12 takes 1500 bytes, the tunnel's header 20 of them: 1480 are left, and clients send up to 1500`. */
function arithmetic({ seen, carried, header, left, arriving }: Room): string {
  const mss = seen.service.vip?.family === "inet6" ? left - 60 : left - 40;
  return `the way to ${seen.server.address.toString()} takes ${carried} bytes, the tunnel's header ${header} of them: ${left} are left (a TCP MSS of ${mss}), and clients' packets have up to ${arriving} when they arrive`;
}
