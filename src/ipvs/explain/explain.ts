/** What would become of a packet now, step by step, and why: found out in a copy of the director (copy.ts). */
import type { Instant } from "../../base/clock.ts";
import { NO_CONNECTION } from "../connections/connection-table.ts";
import type { DesiredState } from "../desired/desired-state.ts";
import {
  formatEndpoint,
  formatForwarding,
  formatServiceKey,
  type Persistence,
} from "../desired/service.ts";
import type { Director } from "../director.ts";
import type { Host } from "../host.ts";
import type { Outcome } from "../packets/outcome.ts";
import { Packet } from "../packets/packet.ts";
import type { Reason } from "../packets/reasons.ts";
import type { SchedulerName } from "../schedulers/index.ts";
import { expectedDelay, overhead } from "../schedulers/load.ts";
import type { Candidate } from "../schedulers/scheduler.ts";
import type { Destination } from "../services/destination.ts";
import { copyFor, type DirectorCopy } from "./copy.ts";

/** Bytes before the packet, for a tunnel's headers. */
export const HEADROOM = 128;

export interface Explanation {
  readonly packet: Ends;
  /** Who would be asked for a new connection; undefined: nobody. */
  readonly service: ExplainedService | undefined;
  /** Whether it belongs to a connection, comes by a template, or would open one. */
  readonly by: "connection" | "template" | "scheduler" | "nobody";
  /** Of the connection that is there, as listings have it; undefined when there is none. */
  readonly state: string | undefined;
  /** In the order in which the scheduler sees them. */
  readonly candidates: readonly ExplainedCandidate[];
  /** Where it goes; undefined when no destination gets it. */
  readonly choice: string | undefined;
  readonly verdict: Outcome["verdict"];
  readonly reason: Reason;
  /** What leaves, if anything does. */
  readonly sent: Sent | undefined;
}

export interface Ends {
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly mark: number;
}

export interface ExplainedService {
  readonly name: string;
  readonly scheduler: SchedulerName;
  readonly persistence: Persistence | undefined;
}

export interface ExplainedCandidate {
  readonly destination: string;
  readonly forwarding: string;
  readonly weight: number;
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  /** What its scheduler compares, for its weight; undefined where none looks at load. */
  readonly load: number | undefined;
  readonly mayBeChosen: boolean;
  /** Why it may not, or how it stands. */
  readonly why: string;
}

export interface Sent extends Ends {
  readonly nextHop: string;
  readonly interfaceIndex: number;
  readonly bytes: number;
}

/** `change` makes the next desired state of the one in the copy; what it throws goes to the caller. */
export function explain(
  live: Director,
  packet: Packet,
  host: Host,
  now: Instant,
  change: (state: DesiredState) => DesiredState = (state) => state,
): Explanation {
  const copy = copyFor(live, packet, silent(host), now);
  const changed = change(copy.state);
  if (changed !== copy.state) copy.director.apply(changed);
  const { director } = copy;
  // What is wanted otherwise may have another service for it, or none.
  const service =
    changed === copy.state
      ? copy.service && director.services.get(copy.service.keyText)
      : director.services.find(packet);
  const candidates = (service?.destinations ?? []).map((each) =>
    explained(each, service!.plan.scheduler),
  );
  const ends = endsOf(packet);
  const state =
    copy.connection === NO_CONNECTION
      ? undefined
      : director.connections.progress.stateName(copy.connection);
  const outcome = director.receive(packet, now);
  const chosen = chosenBy(copy);
  return {
    packet: ends,
    service: service && {
      name: formatServiceKey(service.key),
      scheduler: service.plan.scheduler,
      persistence: service.plan.persistence,
    },
    by: wayOf(copy, outcome, chosen),
    state,
    candidates,
    choice: chosen && formatEndpoint(chosen.plan.endpoint),
    verdict: outcome.verdict,
    reason: outcome.reason,
    sent: sentBy(outcome),
  };
}

/** A packet that may be rewritten while `packet` stays as it is. */
export function packetCopy(packet: Packet): Packet {
  const bytes = new Uint8Array(HEADROOM + packet.length);
  bytes.set(packet.bytes.subarray(packet.start, packet.end), HEADROOM);
  const copied = new Packet();
  const { hook, interfaceIndex, isUnicast, mark, segmentSize, isChecksumPartial, headroom } =
    packet;
  const arrival = {
    hook,
    interfaceIndex,
    isUnicast,
    mark,
    segmentSize,
    isChecksumPartial,
    headroom,
  };
  copied.moveTo(bytes, HEADROOM, bytes.length, arrival);
  copied.longestFragment = packet.longestFragment;
  return copied;
}

/** A question is no packet: the host's limits on what it tells others do not count it. */
function silent(host: Host): Host {
  return {
    get generation() {
      return host.generation;
    },
    isLocal: (address) => host.isLocal(address),
    route: (destination) => host.route(destination),
    routeFrom: (source, destination, mark) => host.routeFrom(source, destination, mark),
    isForwarding: (family) => host.isForwarding(family),
    availablePages: () => host.availablePages(),
    mayTell: () => true,
  };
}

/** In a copy nothing was counted before the one packet. */
function chosenBy({ director }: DirectorCopy): Destination | undefined {
  for (const service of director.services.services()) {
    const chosen = service.destinations.find(({ traffic }) => traffic.inPackets > 0);
    if (chosen !== undefined) return chosen;
  }
  return undefined;
}

function wayOf(
  { connection, template, director }: DirectorCopy,
  outcome: Outcome,
  chosen: Destination | undefined,
): Explanation["by"] {
  if (chosen === undefined) return "nobody";
  if (connection !== NO_CONNECTION && outcome.connection === connection) return "connection";
  const { table } = director.connections;
  const isByTemplate =
    template !== NO_CONNECTION &&
    table.destinationId(template) === chosen.id &&
    table.virtualPort(template) !== 0xffff;
  return isByTemplate ? "template" : "scheduler";
}

// biome-ignore format: a table
const LOADS: Partial<Record<SchedulerName, (candidate: Candidate) => number>> = {
  lc: overhead, wlc: overhead, lblc: overhead, lblcr: overhead, twos: overhead,
  sed: expectedDelay, nq: expectedDelay,
  ovf: ({ activeConnections }) => activeConnections,
};

export function explained(destination: Destination, scheduler: SchedulerName): ExplainedCandidate {
  const { plan, weight, activeConnections, inactiveConnections, isOverloaded } = destination;
  return {
    destination: formatEndpoint(plan.endpoint),
    forwarding: formatForwarding(plan.forwarding),
    weight,
    activeConnections,
    inactiveConnections,
    load: LOADS[scheduler]?.(destination),
    mayBeChosen: weight > 0 && !isOverloaded,
    why: whyOf(destination),
  };
}

function whyOf({ plan, weight, connections, isOverloaded }: Destination): string {
  const { upperThreshold, lowerThreshold } = plan;
  if (weight === 0) return "its weight is 0: no new connections";
  if (!isOverloaded) return "may be chosen";
  const below = lowerThreshold || upperThreshold - Math.floor(upperThreshold / 4);
  return `it has ${connections} connections and reached its upper threshold of ${upperThreshold}: chosen again below ${below}`;
}

export function endsOf(packet: Packet): Ends {
  const { source, destination, protocol, sourcePort, destinationPort, mark } = packet;
  const end = (address: typeof source, port: number): string =>
    port === 0 ? `${address}` : formatEndpoint({ address, port: port as never });
  return {
    protocol,
    source: end(source, sourcePort),
    destination: end(destination, destinationPort),
    mark,
  };
}

export function sentBy({ verdict, route, packet }: Outcome): Sent | undefined {
  if (verdict !== "forward" || route === undefined) return undefined;
  const leaving = new Packet();
  const { bytes, start, end } = packet;
  leaving.moveTo(bytes, start, end, packet);
  return {
    ...endsOf(leaving),
    nextHop: `${route.nextHop}`,
    interfaceIndex: route.interfaceIndex,
    bytes: leaving.length,
  };
}
