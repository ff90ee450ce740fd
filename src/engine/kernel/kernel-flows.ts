/**
 * Known flows in the kernel: the program known_flows.bpf.c (bpf/) forwards their packets where they arrive. The director
 * decides about each connection first; here stands which of its packets then need not come to it.
 *
 * Those are a TCP connection's while it is established, without SYN, FIN and RST, and a UDP flow's: they do nothing but
 * restart its timer and count. Both is made good later: by lastSeen() and collect().
 */
import { readFileSync } from "node:fs";
import type { Instant } from "../../base/clock.ts";
import type { ConnectionTable } from "../../ipvs/connections/connection-table.ts";
import { CONNECTION_FLAG, FORWARDING, FORWARDING_MASK } from "../../ipvs/connections/flow.ts";
import { PROTOCOL } from "../../ipvs/connections/protocol-states.ts";
import { TCP_STATE } from "../../ipvs/connections/tcp-state.ts";
import type { Offload, OffloadedTraffic } from "../../ipvs/offload.ts";
import type { DecidedPacket, ForwardedWatch } from "../flow-offload.ts";
import { Memory } from "../host/system/libc.ts";
import { counter, flow, flowAction, flowKey, settings, verdict } from "./abi.ts";
import { BpfObject, deleteElement, lookUpElement, possibleCpus, updateElement } from "./libbpf.ts";
import { ToldPackets, type ToldPacketsParts } from "./told-packets.ts";

const OBJECT = new URL("../../../bpf/known_flows.bpf.o", import.meta.url);

/**
 * Client's packets that the director sees of every connection. drop_entry takes one that had more for none of an attack
 * (todrop_entry() in ip_vs_conn.c), and what ends sooner is not worth the entry.
 */
const PACKETS_SEEN = 9;

const COUNTERS = 0x1_0000;
const NANOSECONDS = 1e6;
const GENERATION_END = 0x1_0000_0000;

/** Where packets leave the program, as reasons: those for which they go on are the director's own. */
// biome-ignore format: a table
const REASONS: Readonly<Record<keyof typeof verdict, string>> = {
  passNotOurs:       "kernel-pass-not-ours",
  passMalformed:     "kernel-pass-malformed",
  passUnknown:       "kernel-pass-unknown",
  passOld:           "kernel-pass-old",
  passEvent:         "kernel-pass-event",
  passTimeToLive:    "kernel-pass-time-to-live",
  passTooBig:        "kernel-pass-too-big",
  passElsewhere:     "kernel-pass-elsewhere",
  passNoChecksum:    "kernel-pass-no-checksum",
  dropNoMemory:      "kernel-drop-no-memory",
  forwardRoute:      "forward-route",
  forwardMasquerade: "forward-masquerade",
  forwardReply:      "forward-reply",
};

export class KernelFlows implements Offload, Disposable {
  readonly #object: BpfObject;
  readonly #flows: number;
  readonly #verdicts: number;
  readonly #counters: Memory;
  /** The counters as words, and as they were when they were collected. */
  readonly #counts: BigUint64Array;
  readonly #collected = new Float64Array((COUNTERS * counter.size) / 8);
  readonly #settings: Memory;
  /** The generation in which each connection's flow from the client, and the one to it, was learnt; 0 for none. */
  readonly #learnt: Uint32Array;
  readonly #key = new Uint8Array(flowKey.size);
  readonly #keyView = new DataView(this.#key.buffer);
  readonly #value = new Uint8Array(flow.size);
  readonly #valueView = new DataView(this.#value.buffer);
  readonly #packetsSeen: number;
  #generation = 0;
  #countersEnd = 0;
  #full = 0;

  /** Loads the programs. Throws a BpfError when the kernel or libbpf refuses. */
  constructor(connectionsMax: number, packetsSeen = PACKETS_SEEN) {
    this.#packetsSeen = packetsSeen;
    this.#object = new BpfObject(readFileSync(OBJECT), { flows: 2 * connectionsMax });
    this.#flows = this.#object.map("flows");
    this.#verdicts = this.#object.map("verdicts");
    this.#counters = Memory.shared(
      this.#object.map("counters"),
      COUNTERS * counter.size,
      "map the counters of known flows",
    );
    this.#counts = new BigUint64Array(this.#counters.bytes.buffer);
    this.#settings = Memory.shared(
      this.#object.map("settings"),
      settings.size,
      "map the settings of known flows",
    );
    this.#learnt = new Uint32Array(2 * connectionsMax);
    this.invalidate();
  }

  /** The program that forwards, and the one that tells arrivals. */
  get programs(): { readonly forward: number; readonly tellArrival: number } {
    return {
      forward: this.#object.program("forward_known_flows"),
      tellArrival: this.#object.program("tell_arrival"),
    };
  }

  /** The descriptor of the map that flows lie in. */
  get flowsMap(): number {
    return this.#flows;
  }

  /** Everything goes through the director again, until the generation that this begins has learnt it. */
  invalidate(): void {
    this.#generation = this.#generation + 1 === GENERATION_END ? 1 : this.#generation + 1;
    this.#settings.view.setUint32(settings.generation, this.#generation, true);
  }

  learn(packet: DecidedPacket): void {
    const { connections, connection, direction, route } = packet;
    const action = actionOf(packet);
    if (action === flowAction.none || !isSteady(connections, connection)) return;
    if (connections.inPackets(connection) < this.#packetsSeen) return;
    const slot = slotOf(connection, direction);
    if (this.#learnt[slot] === this.#generation) return;
    const destinationId = connections.destinationId(connection);
    if (destinationId >= COUNTERS) return;
    this.#countersEnd = Math.max(this.#countersEnd, destinationId + 1);
    const value = this.#valueView;
    this.#value.fill(0);
    if (this.#learnt[slot] !== 0) {
      // What it counted goes on.
      this.#fillKey(connections, connection, direction);
      lookUpElement(this.#flows, this.#key, this.#value);
    }
    value.setUint32(flow.generation, this.#generation, true);
    value.setUint32(flow.counter, destinationId, true);
    value.setUint32(flow.arrival, packet.arrival, true);
    value.setUint32(flow.departure, route.interfaceIndex, true);
    value.setUint16(flow.mtu, Math.min(packet.mtu, 0xffff), true);
    value.setUint8(flow.action, action);
    this.#value.set(packet.linkAddresses, flow.linkAddresses);
    this.#fillRewriting(connections, connection, action);
    this.#fillKey(connections, connection, direction);
    if (updateElement(this.#flows, this.#key, this.#value) < 0) {
      this.#full++;
      return;
    }
    this.#learnt[slot] = this.#generation;
  }

  lastSeen(connections: ConnectionTable, id: number): Instant {
    let last = Number.NEGATIVE_INFINITY;
    for (const direction of DIRECTIONS) {
      if (this.#learnt[slotOf(id, direction)] === 0) continue;
      this.#fillKey(connections, id, direction);
      if (lookUpElement(this.#flows, this.#key, this.#value) < 0) continue;
      const seen = Number(this.#valueView.getBigUint64(flow.seen, true)) / NANOSECONDS;
      if (seen > 0) last = Math.max(last, seen);
    }
    return last as Instant;
  }

  release(connections: ConnectionTable, id: number): void {
    for (const direction of DIRECTIONS) {
      const slot = slotOf(id, direction);
      if (this.#learnt[slot] === 0) continue;
      this.#learnt[slot] = 0;
      this.#fillKey(connections, id, direction);
      deleteElement(this.#flows, this.#key);
    }
  }

  collect(told: OffloadedTraffic): void {
    const counts = this.#counts;
    const collected = this.#collected;
    const width = counter.size / 8;
    for (let id = 0; id < this.#countersEnd; id++) {
      const at = id * width;
      const since = [0, 0, 0, 0];
      let any = 0;
      for (let index = 0; index < width; index++) {
        const now = Number(Atomics.load(counts, at + index));
        since[index] = now - collected[at + index]!;
        collected[at + index] = now;
        any += since[index]!;
      }
      if (any > 0) told(id, since[0]!, since[1]!, since[2]!, since[3]!);
    }
  }

  /** Tells of packets that it forwards, until what this returns is disposed of. Throws a SystemCallError. */
  watch(told: ForwardedWatch, neighbourOf: ToldPacketsParts["neighbourOf"]): Disposable {
    const object = this.#object;
    return new ToldPackets({ object, settings: this.#settings.view, reasonOf, neighbourOf }, told);
  }

  /** Where packets left the program, by verdict; how many went on; and flows that were not learnt because there was no room. */
  reasons(): Readonly<Record<string, number>> {
    const index = new Uint8Array(4);
    const values = new BigUint64Array(possibleCpus());
    const bytes = new Uint8Array(values.buffer);
    const counts = Object.entries(verdict).map(([name, number]) => {
      new DataView(index.buffer).setUint32(0, number, true);
      const isRead = lookUpElement(this.#verdicts, index, bytes) === 0;
      const count = isRead ? values.reduce((sum, each) => sum + Number(each), 0) : 0;
      return [REASONS[name as keyof typeof verdict], count];
    });
    const reasons = Object.fromEntries(counts) as Record<string, number>;
    const forwarded = [REASONS.forwardRoute, REASONS.forwardMasquerade, REASONS.forwardReply];
    return {
      ...reasons,
      "kernel-forwarded": forwarded.reduce((sum, reason) => sum + reasons[reason]!, 0),
      "kernel-flows-full": this.#full,
    };
  }

  [Symbol.dispose](): void {
    this.#counters[Symbol.dispose]();
    this.#settings[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }

  /** The flow's tuple as its packets have it on the wire. */
  #fillKey(connections: ConnectionTable, id: number, direction: Direction): void {
    const key = this.#keyView;
    const isFromClient = direction === "client";
    const client = isFromClient ? flowKey.source : flowKey.destination;
    const other = isFromClient ? flowKey.destination : flowKey.source;
    for (let word = 0; word < 4; word++) {
      key.setInt32(client + 4 * word, connections.client(id, word));
      const address = isFromClient
        ? connections.virtual(id, word)
        : connections.destination(id, word);
      key.setInt32(other + 4 * word, address);
    }
    const clientPort = isFromClient ? flowKey.sourcePort : flowKey.destinationPort;
    const otherPort = isFromClient ? flowKey.destinationPort : flowKey.sourcePort;
    key.setUint16(clientPort, connections.clientPort(id));
    key.setUint16(
      otherPort,
      isFromClient ? connections.virtualPort(id) : connections.destinationPort(id),
    );
    key.setUint8(flowKey.protocol, connections.protocol(id));
    key.setUint8(flowKey.family, connections.family(id));
  }

  #fillRewriting(connections: ConnectionTable, id: number, action: number): void {
    const value = this.#valueView;
    if (action === flowAction.route) return;
    const isReply = action === flowAction.rewriteSource;
    for (let word = 0; word < 4; word++) {
      const address = isReply ? connections.virtual(id, word) : connections.destination(id, word);
      value.setInt32(flow.address + 4 * word, address);
    }
    value.setUint16(
      flow.port,
      isReply ? connections.virtualPort(id) : connections.destinationPort(id),
    );
  }
}

type Direction = DecidedPacket["direction"];

const DIRECTIONS: readonly Direction[] = ["client", "server"];

const BY_NUMBER: ReadonlyMap<number, string> = new Map(
  Object.entries(verdict).map(([name, number]) => [number, REASONS[name as keyof typeof verdict]]),
);

function reasonOf(number: number): string {
  return BY_NUMBER.get(number) ?? `kernel-verdict-${number}`;
}

function slotOf(connection: number, direction: Direction): number {
  return 2 * connection + (direction === "client" ? 0 : 1);
}

/** What the programs can do of what the connection needs. */
function actionOf({ connections, connection, direction }: DecidedPacket): number {
  const method = connections.flags(connection) & FORWARDING_MASK;
  if (method === FORWARDING.route) {
    return direction === "client" ? flowAction.route : flowAction.none;
  }
  if (method !== FORWARDING.masquerade) return flowAction.none;
  return direction === "client" ? flowAction.rewriteDestination : flowAction.rewriteSource;
}

/** Whether a further packet of the connection, if it is none that begins or ends it, leaves its state as it is. */
function isSteady(connections: ConnectionTable, id: number): boolean {
  if (connections.family(id) !== connections.destinationFamily(id)) return false;
  const protocol = connections.protocol(id);
  if (protocol === PROTOCOL.tcp) return connections.state(id) === TCP_STATE.established;
  if (protocol !== PROTOCOL.udp) return false;
  return (connections.flags(id) & CONNECTION_FLAG.onePacket) === 0;
}
