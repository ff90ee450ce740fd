/** A director of the guide's laboratory, and packets that go through it: what the pictures are drawn from. */
import type { Instant } from "../../src/base/clock.ts";
import { NO_CONNECTION } from "../../src/ipvs/connections/connection-table.ts";
import {
  addDestination,
  addService,
  type DesiredState,
  EMPTY_STATE,
} from "../../src/ipvs/desired/desired-state.ts";
import type { Forwarding, Mark, Persistence, ServiceKey } from "../../src/ipvs/desired/service.ts";
import { Director } from "../../src/ipvs/director.ts";
import type { Host } from "../../src/ipvs/host.ts";
import { Packet } from "../../src/ipvs/packets/packet.ts";
import type { SchedulerName } from "../../src/ipvs/schedulers/index.ts";
import { type ConnectionStatus, connectionStatuses, serviceStatus } from "../../src/ipvs/status.ts";
import { Address } from "../../src/net/address.ts";
import { emitIpv4, Ipv4View } from "../../src/net/ipv4.ts";
import { toPort } from "../../src/net/port.ts";
import { emitTcp, TCP_FLAG } from "../../src/net/tcp.ts";

/** Bytes before a packet, for a tunnel's headers. */
const HEADROOM = 64;
const MTU = 1500;

export const at = (text: string): Address => Address.parse(text)!;

export interface ServerPlan {
  readonly address: string;
  readonly port?: number;
  readonly weight?: number;
  readonly forwarding?: Forwarding;
}

export interface RunPlan {
  /** The addresses of the director itself: the VIP, and its own on the servers' network. */
  readonly vip: string;
  readonly own: string;
  readonly scheduler: SchedulerName;
  readonly persistenceSeconds?: number;
  /** The service is of this firewall mark, not of the VIP. */
  readonly mark?: number;
  readonly servers: readonly ServerPlan[];
}

/** A TCP segment on its way. */
export interface Segment {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  readonly flags: number;
}

/** An IP packet as a reader sees it. */
export interface Headers {
  readonly source: string;
  readonly destination: string;
  readonly timeToLive: number;
  /** The packet inside, of a tunnel's. */
  readonly inner?: Headers;
}

export interface Forwarded {
  readonly headers: Headers;
  readonly nextHop: string;
}

export class DirectorRun {
  readonly #director: Director;
  readonly #plan: RunPlan;
  readonly #packet = new Packet();
  #now = 0;

  constructor(plan: RunPlan) {
    this.#plan = plan;
    this.#director = new Director({ host: hostOf(plan), limit: 1000, hashKey: [1, 2] });
    this.#director.apply(desired(plan));
  }

  /** What goes on to whom, or nothing: refused, or the host's. */
  send(segment: Segment): Forwarded | undefined {
    const bytes = bytesOf(segment);
    const memory = new Uint8Array(HEADROOM + bytes.length);
    memory.set(bytes, HEADROOM);
    this.#packet.moveTo(memory, HEADROOM, memory.length, {
      hook: "wire",
      interfaceIndex: 1,
      isUnicast: true,
      mark: this.#plan.mark ?? 0,
      segmentSize: 0,
      isChecksumPartial: false,
      headroom: HEADROOM,
    });
    const { verdict, route, packet } = this.#director.receive(this.#packet, this.#now as Instant);
    if (verdict !== "forward") return undefined;
    return {
      headers: headersOf(packet.bytes.slice(packet.start, packet.end)),
      nextHop: route!.nextHop.toString(),
    };
  }

  wait(seconds: number): void {
    this.#now += seconds * 1000;
    while (this.#director.expire(this.#now as Instant, 100));
  }

  connections(): readonly ConnectionStatus[] {
    const { connections } = this.#director;
    return connectionStatuses(connections, this.#now as Instant, NO_CONNECTION, 1000).statuses;
  }

  /** A server's active and inactive connections. */
  load(server: string): { readonly active: number; readonly inactive: number } {
    const [service] = this.#director.services.services();
    const { destinations } = serviceStatus(service!);
    const found = destinations.find(({ plan }) => plan.endpoint.address.toString() === server)!;
    return { active: found.activeConnections, inactive: found.inactiveConnections };
  }
}

export const FLAGS = {
  syn: TCP_FLAG.syn,
  synAck: TCP_FLAG.syn | TCP_FLAG.ack,
  ack: TCP_FLAG.ack,
  finAck: TCP_FLAG.fin | TCP_FLAG.ack,
} as const;

export function headersOfSegment(segment: Segment): Headers {
  return headersOf(bytesOf(segment));
}

function bytesOf({ from, fromPort, to, toPort: port, flags }: Segment): Uint8Array {
  const addresses = { source: at(from), destination: at(to) };
  const fields = { source: toPort(fromPort), destination: toPort(port), flags };
  return emitIpv4({ protocol: 6, ...addresses }, emitTcp(fields, new Uint8Array(), addresses));
}

function headersOf(bytes: Uint8Array): Headers {
  const ip = Ipv4View.over(bytes) as Ipv4View;
  const { source, destination, timeToLive, protocol } = ip;
  const payload = bytes.subarray(ip.payloadStart);
  if (protocol === 4) {
    const ends = { source: source.toString(), destination: destination.toString() };
    return { ...ends, timeToLive, inner: headersOf(payload) };
  }
  const port = (offset: number): number => (payload[offset]! << 8) | payload[offset + 1]!;
  return { source: `${source}:${port(0)}`, destination: `${destination}:${port(2)}`, timeToLive };
}

function desired({ vip, scheduler, persistenceSeconds, mark, servers }: RunPlan): DesiredState {
  const key: ServiceKey =
    mark === undefined
      ? { kind: "endpoint", protocol: "tcp", endpoint: { address: at(vip), port: toPort(80) } }
      : { kind: "mark", family: "inet", mark: mark as Mark };
  const persistence: Persistence | undefined =
    persistenceSeconds === undefined
      ? undefined
      : { timeoutSeconds: persistenceSeconds, netmask: 0xffffffff };
  const spec = { key, scheduler, schedulerFlags: 0, onePacket: false, persistence };
  return servers.reduce(
    (state, { address, port = 80, weight = 1, forwarding = { kind: "route" } }) =>
      addDestination(state, key, {
        endpoint: { address: at(address), port: toPort(port) },
        forwarding,
        weight,
        upperThreshold: 0,
        lowerThreshold: 0,
      }),
    addService(EMPTY_STATE, { ...spec, persistenceEngine: undefined }),
  );
}

/** With a service of a mark every packet that bears it is the host's own, as by a local route for it. */
function hostOf({ vip, own, mark }: RunPlan): Host {
  const isLocal = (address: Address): boolean =>
    [vip, own].includes(address.toString()) ||
    (mark !== undefined && address.toString().startsWith("198.51.100."));
  const route: Host["route"] = (destination) =>
    isLocal(destination)
      ? "local"
      : { interfaceIndex: 1, nextHop: destination, source: at(own), mtu: MTU };
  return {
    generation: 1,
    isLocal,
    isForwarding: () => true,
    availablePages: () => Number.POSITIVE_INFINITY,
    mayTell: () => true,
    route,
    routeFrom: (_source, destination) => route(destination),
  };
}
