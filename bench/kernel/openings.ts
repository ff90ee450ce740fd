/** First packets of new clients, opened, scheduled and sent on by the kernel engine's program. */
import { KernelFlows } from "../../src/engine/kernel/kernel-flows.ts";
import { LANE_WAYS, laneMac } from "../../src/engine/userspace/door/lane-frame.ts";
import {
  addDestination,
  addService,
  type DesiredState,
  EMPTY_STATE,
} from "../../src/ipvs/desired/desired-state.ts";
import type { ServiceKey } from "../../src/ipvs/desired/service.ts";
import { Director } from "../../src/ipvs/director.ts";
import type { SchedulerName } from "../../src/ipvs/schedulers/index.ts";
import { Address } from "../../src/net/address.ts";
import { MAC_LENGTH } from "../../src/net/mac-address.ts";
import { toPort } from "../../src/net/port.ts";
import { median } from "../median.ts";
import { type Course, Yardstick } from "./course.ts";
import { hostFor, LINK_ADDRESSES, xdpOf } from "./flows.ts";

/** Where the program meets the packet: where it arrives, or behind the host's firewall. */
export const PLACES = ["wire, tc", "wire, XDP", "host"] as const;
export type Place = (typeof PLACES)[number];

export interface Opening {
  readonly scheduler: SchedulerName;
  readonly servers: number;
  readonly place: Place;
}

const ROUNDS = 15;
/** The ring of news has room for more than twice as many; the director hears of them after each round. */
const CONNECTIONS = 20_000;
/** Of a table that fills up the director decides itself. */
const LIMIT = 2 * ROUNDS * CONNECTIONS;
const PACKETS_WARM = 2_000;

/** How many connections a second one processor opens: the median of rounds. */
export function openingsPerSecond(
  known: Omit<Course, "hook">,
  { scheduler, servers, place }: Opening,
): number {
  const opensOnWire = place !== "host";
  const hook = place === "wire, XDP" ? "xdp" : "tc";
  const linkAddresses = new Uint8Array(2 * MAC_LENGTH);
  if (!opensOnWire) linkAddresses.set(laneMac(LANE_WAYS.input));
  const course: Course = { ...known, hook, linkAddresses };
  using yardstick = new Yardstick();
  using flows = new KernelFlows({ connectionsMax: LIMIT, opensOnWire });
  using xdp = xdpOf(hook, flows);
  const { atCard, atLane } = flows.programs;
  const program = xdp?.fd ?? (opensOnWire ? atCard : atLane);
  const host = hostFor(course.service);
  flows.addressesChanged((address) => host.isLocal(address));
  const director = new Director({ host, limit: LIMIT, hashKey: [0x5eed, 0xfeed], offload: flows });
  director.apply(withServers(EMPTY_STATE, course, scheduler, servers));
  for (const service of director.services.services()) {
    for (const destination of service.destinations) {
      const route = host.route(destination.address);
      if (typeof route === "string") throw new Error("A server is the host itself");
      flows.tellWay(destination, route, LINK_ADDRESSES);
    }
  }
  const samples: number[] = [];
  let fresh = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const count = round === 0 ? PACKETS_WARM : CONNECTIONS;
    const own = yardstick.time(yardstick.nothing[hook], { ...course, fresh }, count, true);
    const all = yardstick.time(program, { ...course, fresh }, count);
    fresh += count;
    flows.tell();
    if (round > 0) samples.push(all - own);
  }
  if (director.connections.table.size !== fresh) throw new Error("Not all were opened");
  return 1e9 / median(samples);
}

/** With one more service, at the course's address and port, of so many servers. */
export function withServers(
  state: DesiredState,
  { service, port }: Pick<Course, "service" | "port">,
  scheduler: SchedulerName,
  servers: number,
): DesiredState {
  const endpoint = { address: service, port: toPort(port) };
  const key: ServiceKey = { kind: "endpoint", protocol: "tcp", endpoint };
  let now = addService(state, {
    key,
    scheduler,
    schedulerFlags: 0,
    onePacket: false,
    persistence: undefined,
    persistenceEngine: undefined,
  });
  for (let server = 0; server < servers; server++) {
    now = addDestination(now, key, {
      endpoint: { address: Address.inet(FIRST_SERVER + server), port: toPort(port) },
      forwarding: { kind: "route" },
      weight: 1 + (server % 4),
      upperThreshold: 0,
      lowerThreshold: 0,
    });
  }
  return now;
}

const FIRST_SERVER = 0x0a02_0000;
