/** Connections that somebody asks about, and their end, on a director without a network. */
import { beforeEach, expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import { Names } from "../../../test/packets/names.ts";
import type { Instant } from "../../base/clock.ts";
import { Address } from "../../net/address.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import { emitIpv6 } from "../../net/ipv6.ts";
import { toPort } from "../../net/port.ts";
import { parsePrefix } from "../../net/prefix.ts";
import { emitTcp, TCP_FLAG } from "../../net/tcp.ts";
import { EMPTY_STATE } from "../desired/desired-state.ts";
import { Director } from "../director.ts";
import type { Host } from "../host.ts";
import type { Outcome } from "../packets/outcome.ts";
import { NO_ARRIVAL, Packet } from "../packets/packet.ts";
import { Ending } from "./ending.ts";
import type { ConnectionFilter, Grouping } from "./filter.ts";
import { Summary } from "./summary.ts";

const HEADROOM = 128;
const { syn, ack, rst } = TCP_FLAG;

type Family = "inet" | "inet6";

class World {
  readonly director: Director;
  readonly names: Names;
  now = 0 as Instant;
  readonly #packet = new Packet();

  constructor(family: Family, ...commands: string[]) {
    this.names = new Names(family);
    const vip = this.address("V");
    const host: Host = {
      generation: 1,
      isLocal: (address) => address.equals(vip),
      isForwarding: () => true,
      availablePages: () => Number.POSITIVE_INFINITY,
      routeFrom: (_source, destination) => host.route(destination),
      mayTell: () => true,
      route: (destination) =>
        destination.equals(vip)
          ? "local"
          : { interfaceIndex: 2, nextHop: destination, source: this.address("D"), mtu: 1500 },
    };
    this.director = new Director({ host, limit: 1000, hashKey: [1, 2] });
    this.director.apply(
      commands.reduce((state, text) => command(state, text, this.names), EMPTY_STATE),
    );
  }

  address(name: string): Address {
    return this.names.address(name);
  }

  send(from: string, port: number, flags: number, sequence = 0, acknowledgement = 0): Outcome {
    const addresses = { source: this.address(from), destination: this.address("V") };
    const fields = { source: toPort(port), destination: toPort(80), flags, sequence };
    const segment = emitTcp({ ...fields, acknowledgement }, new Uint8Array(0), addresses);
    const bytes =
      addresses.source.family === "inet"
        ? emitIpv4({ protocol: 6, ...addresses }, segment)
        : emitIpv6({ nextHeader: 6, ...addresses }, segment);
    const memory = new Uint8Array(HEADROOM + bytes.length);
    memory.set(bytes, HEADROOM);
    const arrival = { ...NO_ARRIVAL, hook: "local-in" as const, headroom: HEADROOM };
    this.#packet.moveTo(memory, HEADROOM, memory.length, arrival);
    return this.director.receive(this.#packet, this.now);
  }

  get inquired() {
    return { tracker: this.director.connections, services: this.director.services };
  }

  summary(filter: ConnectionFilter, by?: Grouping) {
    const summary = new Summary(this.inquired, filter, { by, oldest: 2 });
    while (summary.work(this.now, 1));
    return summary.result(this.now);
  }
}

const HTTP = ["-A -t V:80 -s rr", "-a -t V:80 -r R1 -m", "-a -t V:80 -r R2 -m"];

let world: World;
beforeEach(() => {
  world = new World("inet", ...HTTP);
  for (const [index, from] of ["C", "C", "C2"].entries()) {
    world.now = (index * 100_000) as Instant;
    world.send(from, 1000 + index, syn);
    world.send(from, 1000 + index, ack);
  }
});

const at = (text: string): Address => Address.parse(text)!;

// biome-ignore format: a table
const filters: [says: string, filter: ConnectionFilter, count: number][] = [
  ["nothing asked",        {},                                              3],
  ["a client",             { client: parsePrefix("10.9.0.2")! },            2],
  ["a network",            { client: parsePrefix("10.9.0.0/16")! },         3],
  ["one of a network",     { client: parsePrefix("10.9.0.3/32")! },         1],
  ["everybody",            { client: parsePrefix("0.0.0.0/0")! },           3],
  ["nobody of IPv6",       { client: parsePrefix("::/0")! },                0],
  ["a client's port",      { clientPort: 1002 },                            1],
  ["a server",             { server: at("10.1.0.22") },                     2],
  ["another port of it",   { server: at("10.1.0.22"), serverPort: 81 },     0],
  ["what it talks to",     { virtual: at("10.9.0.100"), virtualPort: 80 },  3],
  ["a state",              { state: "ESTABLISHED" },                        3],
  ["another state",        { state: "SYN_RECV" },                           0],
  ["a protocol",           { protocol: "UDP" },                             0],
  ["older ones",           { olderThanMs: 60_000 },                         2],
  ["templates",            { isTemplate: true },                            0],
];

test.for(filters)("%s", ([, filter, count]) => {
  expect(world.summary(filter).count).toBe(count);
});

test("they are counted by whom, and the oldest are told", () => {
  const { groups, byAge, oldest } = world.summary({}, "server");
  expect(groups).toEqual([
    { name: "10.1.0.22:80", count: 2 },
    { name: "10.1.0.21:80", count: 1 },
  ]);
  // 0, 100 and 200 seconds.
  expect(byAge).toEqual([1, 2, 0, 0, 0]);
  expect(oldest.map(({ client }) => client.port)).toEqual([1000, 1001]);
  expect(world.summary({}, "state").groups).toEqual([{ name: "TCP ESTABLISHED", count: 3 }]);
  expect(world.summary({}, "service").groups[0]!.name).toBe("TCP 10.9.0.100:80");
});

/** Flags, sequence and acknowledgement of a whole packet. */
function told(bytes: Uint8Array): number[] {
  const packet = new Packet();
  packet.moveTo(bytes, 0, bytes.length, NO_ARRIVAL);
  const view = new DataView(bytes.buffer, bytes.byteOffset + packet.transport);
  return [view.getUint8(13), view.getUint32(4), view.getUint32(8), packet.sourcePort];
}

const ways: [family: Family, way: string, reason: string][] = [
  ["inet", "-m", "forward-masquerade"],
  ["inet", "-g", "forward-route"],
  ["inet", "-i", "forward-tunnel"],
  ["inet6", "-m", "forward-masquerade"],
  ["inet6", "-g", "forward-route"],
];

test.for(ways)("%s %s: the client's answer resets both sides", ([family, way, reason]) => {
  const one = new World(family, "-A -t V:80 -s rr", `-a -t V:80 -r R1 ${way}`);
  one.send("C", 1000, syn);
  one.send("C", 1000, ack);
  const ending = new Ending(one.inquired, { clientPort: 1000 });
  const asked: Uint8Array[] = [];
  ending.work(one.now, 100, asked);
  expect(asked.map(told)).toEqual([[syn, 1, 0, 80]]);
  const outcome = one.send("C", 1000, ack, 7_000, 9_000);
  expect(outcome.reason).toBe(reason);
  expect(outcome.notices.map(told)).toEqual([[rst | ack, 9_000, 7_000, 80]]);
  const { packet, parts } = outcome;
  expect(parts).toEqual([]);
  if (way !== "-i") {
    expect(told(packet.bytes.slice(packet.start, packet.end))).toEqual([
      rst | ack,
      7_000,
      9_000,
      1000,
    ]);
  }
  expect(ending.state).toEqual({ found: 1, reset: 1, forgotten: 0, isDone: true });
  expect(one.director.connections.table.size).toBe(0);
});

test("who does not answer is asked four times, and forgotten", () => {
  const ending = new Ending(world.inquired, { client: parsePrefix("10.9.0.2")! });
  const asked: Uint8Array[] = [];
  while (!ending.state.isDone) {
    ending.work(world.now, 1, asked);
    world.now = (world.now + 100) as Instant;
    expect(asked.length).toBeLessThan(9);
  }
  expect(asked).toHaveLength(8);
  expect(ending.state).toEqual({ found: 2, reset: 0, forgotten: 2, isDone: true });
  expect(world.summary({}).count).toBe(1);
});

test("a template goes with its last connection, or leads nobody there any more", () => {
  const one = new World("inet", "-A -t V:80 -s rr -p 600", "-a -t V:80 -r R1 -m");
  one.send("C", 1000, syn);
  one.send("C", 1001, syn);
  const { table } = one.director.connections;
  expect(table.size).toBe(3);
  const templates = new Ending(one.inquired, { isTemplate: true });
  templates.work(one.now, 100, []);
  expect(templates.state).toEqual({ found: 1, reset: 0, forgotten: 1, isDone: true });
  expect(one.summary({ isTemplate: false }).count).toBe(2);
  const rest = new Ending(one.inquired, { isTemplate: false });
  rest.work(one.now, 100, []);
  expect(rest.state.isDone).toBe(true);
  expect(table.size).toBe(0);
});
