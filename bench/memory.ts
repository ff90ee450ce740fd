/**
 * What does a packet cost in memory, without a network?
 *
 * Asked: nanoseconds per packet of established flows under direct routing, by number of flows; new connections per
 * second; bytes per connection; the longest pause that expiry makes.
 */
import type { Instant } from "../src/base/clock.ts";
import { prng } from "../src/base/prng.ts";
import { inlineThePacketPath } from "../src/engine/userspace/inlining.ts";
import { EXPIRE_BUDGET } from "../src/engine/userspace/pulse.ts";
import { addDestination, addService, EMPTY_STATE } from "../src/ipvs/desired/desired-state.ts";
import type { ServiceKey } from "../src/ipvs/desired/service.ts";
import { Director } from "../src/ipvs/director.ts";
import type { Host } from "../src/ipvs/host.ts";
import { NO_ARRIVAL, Packet } from "../src/ipvs/packets/packet.ts";
import { Address } from "../src/net/address.ts";
import { TCP_FLAG } from "../src/net/tcp.ts";
import { FloorTable } from "./floor.ts";
import { median } from "./median.ts";
import { PACKET_LENGTH, PacketRing, PORT, VIP } from "./packets.ts";

export interface EstablishedFigures {
  readonly flows: number;
  /** Nanoseconds, as medians of batches. */
  readonly packetNs: number;
  readonly floorNs: number;
}

export interface MemoryFigures {
  readonly established: readonly EstablishedFigures[];
  readonly newConnectionsPerSecond: number;
  /** By the table's own account. */
  readonly bytesPerConnection: number;
  /** How much the process grew. */
  readonly residentBytesPerConnection: number;
  readonly longestExpireMs: number;
}

export const MEMORY_METHOD = `\
Batches of 1024 packets (TCP, 40 bytes, a client's ACK to a service with 100 servers, rr, direct routing), of flows in
pseudo-random order, are written into a ring of 64 KiB; then the director decides about the whole batch, from parsing
on, and the time of the batch is taken. The floor, parsing and one probe of a typed-array table for the same packets,
takes its turn batch by batch. Figures are medians over the batches, so that what else the machine did does not count.
New connections: first packets of a million clients; all batches together, growth of the table included; the best of
three rounds. Expiry: a million connections end at one moment; the longest of the calls that the daemon makes, each
call's time being the shortest of three rounds.`;

const FLOWS = [1, 1_000, 100_000, 1_000_000] as const;
const FLOWS_MAX = FLOWS[FLOWS.length - 1]!;
/** As the daemon's default. */
const CONNECTIONS_MAX = 1 << 20;
const SERVERS = 100;
const BATCH = 1024;
const BATCHES = 800;
const WARM_UP_BATCHES = 200;
const ROUNDS = 3;
const START = 1_000 as Instant;
/** Past every timeout. */
const END = (START + 3_600_000) as Instant;

const HOST: Host = {
  generation: 1,
  isLocal: (address) => address.equals(VIP),
  isForwarding: () => true,
  availablePages: () => Number.POSITIVE_INFINITY,
  routeFrom: (_source, destination) => HOST.route(destination),
  mayTell: () => true,
  route: (destination) =>
    destination.equals(VIP)
      ? "local"
      : { interfaceIndex: 2, nextHop: destination, source: VIP, mtu: 1500 },
};

const SERVICE: ServiceKey = {
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: VIP, port: PORT },
};

function newDirector(): Director {
  const director = new Director({ host: HOST, limit: CONNECTIONS_MAX, hashKey: [0x5eed, 0xfeed] });
  let state = addService(EMPTY_STATE, {
    key: SERVICE,
    scheduler: "rr",
    schedulerFlags: 0,
    onePacket: false,
    persistence: undefined,
    persistenceEngine: undefined,
  });
  for (let server = 0; server < SERVERS; server++) {
    state = addDestination(state, SERVICE, {
      endpoint: { address: Address.inet(0x0a01_0001 + server), port: PORT },
      forwarding: { kind: "route" },
      weight: 1,
      upperThreshold: 0,
      lowerThreshold: 0,
    });
  }
  director.apply(state);
  return director;
}

class Bench {
  readonly #ring = new PacketRing(BATCH);
  readonly #packet = new Packet();
  readonly #random = prng(1);

  /** Opens the flows and has each answer the handshake. Milliseconds that the director took for the first packets. */
  open(director: Director, flows: number): number {
    let elapsed = 0;
    for (const flags of [TCP_FLAG.syn, TCP_FLAG.ack]) {
      for (let first = 0; first < flows; first += BATCH) {
        const count = Math.min(BATCH, flows - first);
        for (let index = 0; index < count; index++) {
          this.#ring.writeRequest(index, first + index, flags);
        }
        const time = this.#forward(director, count);
        if (flags === TCP_FLAG.syn) elapsed += time;
      }
    }
    if (director.connections.table.size !== flows) throw new Error("Not every flow was opened");
    return elapsed;
  }

  established(director: Director, flows: number): EstablishedFigures {
    const table = new FloorTable(flows);
    for (let client = 0; client < flows; client++) {
      this.#ring.writeRequest(0, client, TCP_FLAG.ack);
      this.#moveTo(0);
      table.add(this.#packet);
    }
    const packet: number[] = [];
    const floor: number[] = [];
    for (let batch = -WARM_UP_BATCHES; batch < BATCHES; batch++) {
      for (let index = 0; index < BATCH; index++) {
        this.#ring.writeRequest(index, this.#random.below(flows), TCP_FLAG.ack);
      }
      // Whoever is second finds the packets in the nearest cache: by turns.
      let floorMs = batch % 2 === 0 ? this.#probe(table) : 0;
      const packetMs = this.#forward(director, BATCH);
      if (batch % 2 !== 0) floorMs = this.#probe(table);
      if (batch < 0) continue;
      packet.push(packetMs);
      floor.push(floorMs);
    }
    const perPacket = 1e6 / BATCH;
    return { flows, packetNs: median(packet) * perPacket, floorNs: median(floor) * perPacket };
  }

  /** Milliseconds for the ring's first `count` packets; all must be forwarded. */
  #forward(director: Director, count: number): number {
    let forwarded = 0;
    const begin = performance.now();
    for (let index = 0; index < count; index++) {
      this.#moveTo(index);
      if (director.receive(this.#packet, START).verdict === "forward") forwarded++;
    }
    const elapsed = performance.now() - begin;
    if (forwarded !== count) throw new Error(`${count - forwarded} packets were not forwarded`);
    return elapsed;
  }

  #probe(table: FloorTable): number {
    let found = 0;
    const begin = performance.now();
    for (let index = 0; index < BATCH; index++) {
      this.#moveTo(index);
      found += table.probe(this.#packet);
    }
    const elapsed = performance.now() - begin;
    if (found === 0) throw new Error("The floor's table is empty");
    return elapsed;
  }

  #moveTo(index: number): void {
    const ring = this.#ring;
    const start = ring.start(index);
    this.#packet.moveTo(ring.bytes, start, start + PACKET_LENGTH, NO_ARRIVAL);
  }
}

/** Some seconds of one processor and some 400 MB of memory. */
export function measureMemory(progress: (text: string) => void): MemoryFigures {
  inlineThePacketPath();
  const bench = new Bench();
  const growth = measureGrowth(bench, progress);
  const established = FLOWS.map((flows) => {
    progress(`established flows: ${flows}`);
    const director = newDirector();
    bench.open(director, flows);
    return bench.established(director, flows);
  });
  return { established, ...growth };
}

function measureGrowth(bench: Bench, progress: (text: string) => void) {
  let fastest = Number.POSITIVE_INFINITY;
  let bytes = 0;
  let resident = 0;
  const calls: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    progress(`a million connections come and go: round ${round + 1} of ${ROUNDS}`);
    const before = process.memoryUsage().rss;
    const director = newDirector();
    fastest = Math.min(fastest, bench.open(director, FLOWS_MAX));
    bytes = director.connections.table.bytes;
    // Only the first finds no memory that was left by another.
    if (round === 0) resident = process.memoryUsage().rss - before;
    expireAll(director, calls);
  }
  return {
    newConnectionsPerSecond: (FLOWS_MAX / fastest) * 1000,
    bytesPerConnection: bytes / FLOWS_MAX,
    residentBytesPerConnection: resident / FLOWS_MAX,
    longestExpireMs: calls.reduce((longest, each) => Math.max(longest, each), 0),
  };
}

/** Expires everything as the daemon would, and keeps for each call the shortest time so far. */
function expireAll(director: Director, calls: number[]): void {
  for (let call = 0, more = true; more; call++) {
    const begin = performance.now();
    more = director.expire(END, EXPIRE_BUDGET);
    const elapsed = performance.now() - begin;
    calls[call] = Math.min(calls[call] ?? Number.POSITIVE_INFINITY, elapsed);
  }
  const { size } = director.connections.table;
  if (size > 0) throw new Error(`${size} connections outlived their time`);
}
