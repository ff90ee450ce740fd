/**
 * Does the connection table keep its promises at a million connections?
 *
 * Asked: the time of a known flow's packet (lookup and touch) by number of flows, bytes per connection, and the longest
 * single call while the table grows and while a million connections end at one moment.
 *
 * Method: times are the best of several rounds. A longest call is measured by doing everything several times over and
 * taking for each call its shortest time, so that what the machine did meanwhile does not count but what the table
 * does at that point (a new chunk, a larger index) does.
 */
import type { Instant } from "../src/base/clock.ts";
import { ConnectionTable } from "../src/ipvs/connections/connection-table.ts";
import { Binding, Flow, FORWARDING } from "../src/ipvs/connections/flow.ts";

const CONNECTIONS = 1_000_000;
const TIMEOUT_MS = 60_000;
const EXPIRE_BUDGET = 1_000;
const PACKETS = 1_000_000;
const ROUNDS = 5;
const START = 0 as Instant;
const END = (2 * TIMEOUT_MS) as Instant;

const flow = new Flow();
flow.protocol = 6;
flow.virtual3 = 0x0a000064;
flow.virtualPort = 80;
const binding = new Binding();
binding.destinationPort = 8080;

/** Sets `flow` to the client with this number: 4096 ports an address. */
function beClient(client: number): void {
  flow.client3 = 0x0a640000 + (client >>> 12);
  flow.clientPort = 1024 + (client & 4095);
  binding.destination3 = 0x0a010000 + (client % 100);
}

function newTable(): ConnectionTable {
  return new ConnectionTable({ limit: CONNECTIONS, hashKey: [0x5eed, 0xfeed] });
}

function fill(table: ConnectionTable, connections: number): void {
  for (let client = 0; client < connections; client++) {
    beClient(client);
    table.add(flow, binding, START, TIMEOUT_MS);
  }
}

/** Nanoseconds for a packet of a known flow, the flows in random order. */
function packetNs(connections: number): number {
  const table = newTable();
  fill(table, connections);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    let random = round;
    const begin = performance.now();
    for (let packet = 0; packet < PACKETS; packet++) {
      random = (Math.imul(random, 1664525) + 1013904223) | 0;
      beClient(((random >>> 0) * connections) / 0x1_0000_0000);
      table.touch(table.findByClient(flow, START), START, TIMEOUT_MS);
    }
    best = Math.min(best, performance.now() - begin);
  }
  return (best * 1e6) / PACKETS;
}

/** The longest of a series of calls, in milliseconds, and its place. */
class Longest {
  readonly #shortest: Float64Array;

  constructor(calls: number) {
    this.#shortest = new Float64Array(calls).fill(Number.POSITIVE_INFINITY);
  }

  time(call: number, work: () => void): void {
    const begin = performance.now();
    work();
    this.#shortest[call] = Math.min(this.#shortest[call]!, performance.now() - begin);
  }

  report(): string {
    const longest = this.#shortest.reduce((a, b) => Math.max(a, b));
    return `${longest.toFixed(3)} ms (call ${this.#shortest.indexOf(longest)})`;
  }
}

function growAndEnd(): { bytes: number; add: Longest; expire: Longest } {
  const add = new Longest(CONNECTIONS);
  const expire = new Longest(CONNECTIONS / EXPIRE_BUDGET);
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const table = newTable();
    for (let client = 0; client < CONNECTIONS; client++) {
      beClient(client);
      add.time(client, () => {
        table.add(flow, binding, START, TIMEOUT_MS);
      });
    }
    bytes = table.bytes;
    for (let call = 0; call < CONNECTIONS / EXPIRE_BUDGET; call++) {
      expire.time(call, () => {
        table.expire(END, EXPIRE_BUDGET, () => 0);
      });
    }
    if (table.size > 0) throw new Error(`${table.size} connections outlived their time`);
  }
  return { bytes, add, expire };
}

for (const method of ["masquerade", "route"] as const) {
  binding.flags = FORWARDING[method];
  console.log(method);
  for (const connections of [1, 1_000, 100_000, CONNECTIONS]) {
    console.log(`  ${connections} flows: ${packetNs(connections).toFixed(0)} ns a packet`);
  }
  const { bytes, add, expire } = growAndEnd();
  console.log(`  ${(bytes / CONNECTIONS).toFixed(1)} bytes a connection`);
  console.log(`  longest add: ${add.report()}`);
  console.log(`  longest expire of ${EXPIRE_BUDGET}: ${expire.report()}`);
}
