/** Recorded packets through a director of its own, in their own time: who would have got them. */
import type { Instant } from "../../base/clock.ts";
import type { DesiredState } from "../../ipvs/desired/desired-state.ts";
import { formatEndpoint, formatServiceKey } from "../../ipvs/desired/service.ts";
import { Director } from "../../ipvs/director.ts";
import { HEADROOM } from "../../ipvs/explain/explain.ts";
import type { Host } from "../../ipvs/host.ts";
import { NO_ARRIVAL, Packet } from "../../ipvs/packets/packet.ts";
import type { SchedulerName } from "../../ipvs/schedulers/index.ts";
import type { Address } from "../../net/address.ts";
import type { RecordedPacket } from "./frames.ts";

const CONNECTIONS_MAX = 1 << 20;
const EXPIRE_BUDGET = 10_000;

export interface Spread {
  /** "as configured", or the scheduler that all services had. */
  readonly scheduler: string;
  readonly services: readonly ServiceSpread[];
  /** How many packets left for which reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

export interface ServiceSpread {
  readonly service: string;
  readonly connections: number;
  readonly destinations: readonly DestinationSpread[];
}

export interface DestinationSpread {
  readonly destination: string;
  readonly weight: number;
  readonly connections: number;
  readonly packets: number;
  readonly bytes: number;
}

export function replay(
  state: DesiredState,
  packets: readonly RecordedPacket[],
  scheduler: SchedulerName | undefined,
): Spread {
  const director = new Director({ host: hostOf(state), limit: CONNECTIONS_MAX, hashKey: [1, 2] });
  director.apply(scheduler === undefined ? state : scheduledBy(scheduler, state));
  const packet = new Packet();
  const directors = directorsIn(packets, director);
  for (const { ms, bytes, from, isOut } of packets) {
    const now = ms as Instant;
    while (director.nextDeadline() <= now && director.expire(now, EXPIRE_BUDGET));
    // What the director itself sent on was recorded when it came; what it asks servers is no client's.
    if (isOut || (from !== undefined && directors.has(from))) continue;
    if (takeUp(packet, bytes)) director.receive(packet, now);
    else director.malformed();
  }
  return {
    scheduler: scheduler ?? "as configured",
    services: [...director.services.services()].map(({ plan, traffic, destinations }) => ({
      service: formatServiceKey(plan.key),
      connections: traffic.connections,
      // As the file has them: the oldest first.
      destinations: destinations.toReversed().map((each) => ({
        destination: formatEndpoint(each.plan.endpoint),
        weight: each.weight,
        connections: each.traffic.connections,
        packets: each.traffic.inPackets,
        bytes: each.traffic.inBytes,
      })),
    })),
    reasons: Object.fromEntries(
      Object.entries(director.reasons()).filter(([, count]) => count > 0),
    ),
  };
}

/**
 * Whose frames are the director's own: it gets services' packets from others, and what it sends on is for servers, who get
 * them from it alone.
 */
function directorsIn(
  packets: readonly RecordedPacket[],
  { services }: Director,
): ReadonlySet<string> {
  const packet = new Packet();
  const sendersTo = new Map<string, Set<string>>();
  for (const { bytes, from, to, isOut } of packets) {
    if (isOut || from === undefined || to === undefined) continue;
    if (!takeUp(packet, bytes) || services.find(packet) === undefined) continue;
    const known = sendersTo.get(to);
    if (known === undefined) sendersTo.set(to, new Set([from]));
    else known.add(from);
  }
  const isClient = (sender: string): boolean => !sendersTo.has(sender);
  return new Set(
    [...sendersTo].flatMap(([to, senders]) => ([...senders].some(isClient) ? to : [])),
  );
}

/** False when there is no packet in it. */
function takeUp(packet: Packet, bytes: Uint8Array): boolean {
  const room = new Uint8Array(HEADROOM + bytes.length);
  room.set(bytes, HEADROOM);
  const arrival = { ...NO_ARRIVAL, headroom: HEADROOM };
  return packet.moveTo(room, HEADROOM, room.length, arrival) === undefined;
}

function scheduledBy(scheduler: SchedulerName, state: DesiredState): DesiredState {
  const services = [...state.services].map(
    ([key, plan]) => [key, { ...plan, scheduler, schedulerFlags: 0 }] as const,
  );
  return { ...state, services: new Map(services) };
}

/** A host that has every VIP, and a route to everybody else. */
function hostOf({ services }: DesiredState): Host {
  const vips = new Set<string>();
  for (const { key } of services.values()) {
    if (key.kind === "endpoint") vips.add(`${key.endpoint.address}`);
  }
  const isLocal = (address: Address): boolean => vips.has(`${address}`);
  const route = (destination: Address) =>
    isLocal(destination)
      ? "local"
      : ({ interfaceIndex: 1, nextHop: destination, source: destination, mtu: 0xffff } as const);
  return {
    generation: 1,
    isLocal,
    route,
    routeFrom: (_source, destination) => route(destination),
    mayTell: () => false,
    isForwarding: () => true,
    availablePages: () => 1 << 20,
  };
}
