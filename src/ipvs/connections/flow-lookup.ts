/**
 * Finds connections by the packets that belong to them.
 *
 * Lookups are by the whole tuple and not, as by ip_vs_conn_hashkey(), by the client alone: a client that talks from
 * one port to many virtual addresses would make them slow. A masqueraded connection therefore is in the index twice,
 * by what the client sends and by what the destination answers; for the other methods these are the same.
 */
import type { Instant } from "../../base/clock.ts";
import { FIELD, identityOf, KIND, portsOf } from "./connection-record.ts";
import { type Binding, CONNECTION_FLAG, type Flow, FORWARDING, FORWARDING_MASK } from "./flow.ts";
import { FlowHash, type HashKey } from "./flow-hash.ts";
import { FlowIndex } from "./flow-index.ts";
import type { PersistenceData } from "./persistence-data.ts";
import type { RecordStore } from "./record-store.ts";
import type { Slots } from "./slots.ts";

const NONE = -1;

/** The bits of `kind` that must be those of the packet, with the flags as the lookup wants them. */
const IDENTITY_MASK =
  (0xff << KIND.protocolShift) | KIND.inet6 | CONNECTION_FLAG.template | CONNECTION_FLAG.data;

export class FlowLookup {
  readonly #records: RecordStore;
  readonly #index: FlowIndex;
  readonly #hash: FlowHash;
  readonly #data: PersistenceData;

  readonly #isKeptAlive: ((id: number, now: Instant) => boolean) | undefined;

  /** `isKeptAlive`: asked of a connection whose time seems to be over. */
  constructor(
    records: RecordStore,
    data: PersistenceData,
    hashKey: HashKey,
    isKeptAlive?: (id: number, now: Instant) => boolean,
  ) {
    this.#isKeptAlive = isKeptAlive;
    this.#records = records;
    this.#data = data;
    this.#index = new FlowIndex(2 * records.limit);
    // For what an earlier process left; none for a table that is new.
    this.#index.expect(2 * records.end);
    this.#hash = new FlowHash(hashKey);
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  enter(id: number, flow: Flow, binding: Binding): void {
    if (!isIndexed(binding.flags)) return;
    const clientHash = this.#hashOf(flow);
    this.#records.set(id, FIELD.clientHash, clientHash);
    this.#index.insert(clientHash, id);
    if (!isIndexedTwice(binding.flags)) return;
    const replyHash = this.#hashOfReply(flow, binding);
    this.#records.set(id, FIELD.replyHash, replyHash);
    this.#index.insert(replyHash, id);
  }

  /** Takes a connection out, if it is in. */
  leave(id: number): void {
    const flags = this.#records.get(id, FIELD.kind) & KIND.flagsMask;
    if (isIndexed(flags)) this.#index.remove(this.#records.get(id, FIELD.clientHash), id);
    if (isIndexedTwice(flags)) this.#index.remove(this.#records.get(id, FIELD.replyHash), id);
  }

  /** Goes on with a growth of the index, if one is under way. */
  maintain(budget: number): void {
    this.#index.migrate(budget);
  }

  /** `flags` are none for connections; CONNECTION_FLAG's template, and data where the flow has some, for templates. */
  findByClient(flow: Flow, flags: number, now: Instant): number {
    const hash = this.#hashOf(flow);
    const { young, old } = this.#index;
    const id = this.#probeClient(young, hash, flow, flags, now);
    if (id !== NONE || old === undefined) return id;
    return this.#probeClient(old, hash, flow, flags, now);
  }

  findByReply(flow: Flow, now: Instant): number {
    const hash = this.#hashOf(flow);
    const { young, old } = this.#index;
    const id = this.#probeReply(young, hash, flow, now);
    if (id !== NONE || old === undefined) return id;
    return this.#probeReply(old, hash, flow, now);
  }

  /** Whether its time is not over, or it controls others. */
  isAlive(id: number, now: Instant): boolean {
    const records = this.#records;
    return (
      records.getDouble(id, FIELD.expiresAt) > now ||
      records.get(id, FIELD.controlled) > 0 ||
      this.#isKeptAlive?.(id, now) === true
    );
  }

  #probeClient(slots: Slots, hash: number, flow: Flow, flags: number, now: Instant): number {
    const records = this.#records;
    const { words } = records;
    const identity = identityOf(flow) | flags;
    const ports = portsOf(flow);
    for (let position = slots.first(hash); position >= 0; position = slots.next(hash, position)) {
      const id = slots.idAt(position);
      const at = records.offset(id);
      if (
        (words[at + FIELD.kind]! & IDENTITY_MASK) === identity &&
        words[at + FIELD.ports] === ports &&
        isClient(words, at + FIELD.client, flow) &&
        isVirtual(words, at + FIELD.virtual, flow) &&
        ((flags & CONNECTION_FLAG.data) === 0 || this.#isData(words[at + FIELD.data]!, flow)) &&
        this.isAlive(id, now)
      ) {
        return id;
      }
    }
    return NONE;
  }

  #isData(slot: number, { dataBytes, dataStart, dataLength }: Flow): boolean {
    return this.#data.equals(slot, dataBytes, dataStart, dataLength);
  }

  #probeReply(slots: Slots, hash: number, flow: Flow, now: Instant): number {
    const records = this.#records;
    const { words } = records;
    const identity = identityOf(flow);
    for (let position = slots.first(hash); position >= 0; position = slots.next(hash, position)) {
      const id = slots.idAt(position);
      const at = records.offset(id);
      const isMasqueraded = (words[at + FIELD.kind]! & FORWARDING_MASK) === FORWARDING.masquerade;
      const source = isMasqueraded ? FIELD.destination : FIELD.virtual;
      const sourcePort =
        words[at + (isMasqueraded ? FIELD.destinationPort : FIELD.ports)]! & 0xffff;
      if (
        (words[at + FIELD.kind]! & IDENTITY_MASK) === identity &&
        words[at + FIELD.ports]! >>> 16 === flow.clientPort &&
        sourcePort === flow.virtualPort &&
        isClient(words, at + FIELD.client, flow) &&
        isVirtual(words, at + source, flow) &&
        this.isAlive(id, now)
      ) {
        return id;
      }
    }
    return NONE;
  }

  #hashOf(flow: Flow): number {
    const { protocol, dataLength } = flow;
    let ports = portsOf(flow);
    // A proxy's calls all come from one address.
    if (dataLength > 0) ports ^= this.#hash.data(flow.dataBytes, flow.dataStart, dataLength);
    if (flow.family === 4) return this.#hash.inet(protocol, ports, flow.client3, flow.virtual3);
    return this.#hash.inet6(
      protocol,
      ports,
      flow.client0,
      flow.client1,
      flow.client2,
      flow.client3,
      flow.virtual0,
      flow.virtual1,
      flow.virtual2,
      flow.virtual3,
    );
  }

  /** The hash of the flow that findByReply will be asked for. */
  #hashOfReply(flow: Flow, binding: Binding): number {
    const { protocol } = flow;
    const ports = (flow.clientPort << 16) | binding.destinationPort;
    if (flow.family === 4) {
      return this.#hash.inet(protocol, ports, flow.client3, binding.destination3);
    }
    return this.#hash.inet6(
      protocol,
      ports,
      flow.client0,
      flow.client1,
      flow.client2,
      flow.client3,
      binding.destination0,
      binding.destination1,
      binding.destination2,
      binding.destination3,
    );
  }
}

function isClient(words: Int32Array, at: number, flow: Flow): boolean {
  return (
    words[at + 3] === flow.client3 &&
    words[at + 2] === flow.client2 &&
    words[at + 1] === flow.client1 &&
    words[at] === flow.client0
  );
}

function isVirtual(words: Int32Array, at: number, flow: Flow): boolean {
  return (
    words[at + 3] === flow.virtual3 &&
    words[at + 2] === flow.virtual2 &&
    words[at + 1] === flow.virtual1 &&
    words[at] === flow.virtual0
  );
}

function isIndexed(flags: number): boolean {
  return (flags & CONNECTION_FLAG.template) !== 0 || (flags & CONNECTION_FLAG.onePacket) === 0;
}

function isIndexedTwice(flags: number): boolean {
  return (
    (flags & (CONNECTION_FLAG.template | CONNECTION_FLAG.onePacket)) === 0 &&
    (flags & FORWARDING_MASK) === FORWARDING.masquerade
  );
}
