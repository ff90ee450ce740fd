/**
 * The connections in flight and the persistence templates, at most `limit` of them.
 *
 * A connection is known by an id, a small integer that is used again after its removal. Time does not run by itself
 * here: whoever owns the table calls `expire` when it has time to spare. Until then a connection whose time is over
 * lies in the table, is counted by `size` and listed by `nextId`, but no lookup returns it. One that controls others
 * (a template with connections) is alive whatever its time, as in ip_vs_conn_expire().
 *
 * Lookups are by the whole tuple and not, as in kernels before 7.0, by the client alone: a client that talks from one
 * port to many virtual addresses would make them slow. A masqueraded connection therefore is in the index twice, by
 * what the client sends and by what the destination answers; for the other methods these are the same.
 *
 * No call allocates but the constructor, `nextDeadline`, `expire` and an `add` that needs room.
 */
import type { Instant } from "../../base/clock.ts";
import { type Binding, CONNECTION_FLAG, type Flow, FORWARDING, FORWARDING_MASK } from "./flow.ts";
import { FlowHash, type HashKey } from "./flow-hash.ts";
import { FlowIndex, type Slots } from "./flow-index.ts";
import { FIELD, RecordStore } from "./record-store.ts";
import { TimerWheel } from "./timer-wheel.ts";

/** What lookups and `add` return for no connection, and `control` for none. */
export const NO_CONNECTION = -1;

export interface ConnectionTableOptions {
  /** From 1 to 2^24. */
  readonly limit: number;
  /** Two random 32-bit numbers that nobody outside knows. */
  readonly hashKey: HashKey;
}

export interface Expired {
  readonly removed: number;
  /** Whether there was more to look at than the budget allowed. */
  readonly more: boolean;
}

// FIELD.kind: protocol 8 bits, 1 unused, 1 for IPv6, state 6, flags 16.
const PROTOCOL_SHIFT = 24;
const INET6 = 1 << 22;
const STATE_SHIFT = 16;
const STATE_MASK = 0x3f;
const FLAGS_MASK = 0xffff;
const IDENTITY_MASK = (0xff << PROTOCOL_SHIFT) | INET6;

/** The port of an invalidated template. */
const DEAD_PORT = 0xffff;

/** What decides how a connection is found; fixed when it is added. */
const FIXED_FLAGS = FORWARDING_MASK | CONNECTION_FLAG.template | CONNECTION_FLAG.onePacket;

export class ConnectionTable {
  readonly #records: RecordStore;
  readonly #index = new FlowIndex();
  readonly #wheel: TimerWheel;
  readonly #hash: FlowHash;

  constructor({ limit, hashKey }: ConnectionTableOptions) {
    this.#records = new RecordStore(limit);
    this.#wheel = new TimerWheel(this.#records);
    this.#hash = new FlowHash(hashKey);
  }

  get limit(): number {
    return this.#records.limit;
  }

  /** Connections and templates, also those whose time is over and that were not swept yet. */
  get size(): number {
    return this.#records.size;
  }

  /** Memory that the table holds; the system provides it as it is used. */
  get bytes(): number {
    return this.#records.bytes + this.#index.bytes + this.#wheel.bytes;
  }

  /** The connection of a packet from the client, never a template. */
  findByClient(flow: Flow, now: Instant): number {
    return this.#findByClient(flow, 0, now);
  }

  /** The template of this masked client. Its client port is 0. */
  findTemplate(flow: Flow, now: Instant): number {
    return this.#findByClient(flow, CONNECTION_FLAG.template, now);
  }

  /**
   * The connection of a packet from a destination: `virtual…` is the packet's source and `client…` its destination.
   * When a client reaches one destination through two services from one port, either may be returned.
   */
  findByReply(flow: Flow, now: Instant): number {
    const hash = this.#hashOf(flow);
    const { young, old } = this.#index;
    const id = this.#probeReply(young, hash, flow, now);
    if (id !== NO_CONNECTION || old === undefined) return id;
    return this.#probeReply(old, hash, flow, now);
  }

  /**
   * Adds a connection with state 0, or returns NO_CONNECTION when the table is full: the packet is then dropped and
   * counted. The caller has looked for `flow` before: of two living connections of one flow, either may be found.
   */
  add(flow: Flow, binding: Binding, now: Instant, timeoutMs: number): number {
    const records = this.#records;
    const id = records.allocate();
    if (id === NO_CONNECTION) return id;
    const words = records.chunk(id);
    const at = records.offset(id);
    words[at + FIELD.client] = flow.client0;
    words[at + FIELD.client + 1] = flow.client1;
    words[at + FIELD.client + 2] = flow.client2;
    words[at + FIELD.client + 3] = flow.client3;
    words[at + FIELD.virtual] = flow.virtual0;
    words[at + FIELD.virtual + 1] = flow.virtual1;
    words[at + FIELD.virtual + 2] = flow.virtual2;
    words[at + FIELD.virtual + 3] = flow.virtual3;
    words[at + FIELD.ports] = portsOf(flow);
    words[at + FIELD.kind] = identityOf(flow) | (binding.flags & FLAGS_MASK);
    words[at + FIELD.timeout] = timeoutMs;
    words[at + FIELD.destinationId] = binding.destinationId;
    words[at + FIELD.inPackets] = 0;
    words[at + FIELD.destination] = binding.destination0;
    words[at + FIELD.destination + 1] = binding.destination1;
    words[at + FIELD.destination + 2] = binding.destination2;
    words[at + FIELD.destination + 3] = binding.destination3;
    words[at + FIELD.destinationPort] = binding.destinationPort | (binding.family << 16);
    words[at + FIELD.mark] = binding.mark;
    words[at + FIELD.control] = NO_CONNECTION;
    words[at + FIELD.controlled] = 0;
    records.setDouble(id, FIELD.expiresAt, now + timeoutMs);
    this.#wheel.arm(id, now + timeoutMs);
    this.#enterIndex(id, flow, binding);
    return id;
  }

  /** Takes a connection out. One that still controls others must not go: that is a bug of the caller. */
  remove(id: number): void {
    const records = this.#records;
    this.#check(id);
    const controlled = records.get(id, FIELD.controlled);
    if (controlled > 0) throw new Error(`Connection ${id} still controls ${controlled} others`);
    this.setControl(id, NO_CONNECTION);
    this.#wheel.disarm(id);
    const flags = this.flags(id);
    if (isIndexed(flags)) this.#index.remove(records.get(id, FIELD.clientHash), id);
    if (isIndexedTwice(flags)) this.#index.remove(records.get(id, FIELD.replyHash), id);
    records.free(id);
  }

  /**
   * Makes a template that no lookup finds any more; its time goes on. Its ports become 65535, which is how a listing
   * shows it: ip_vs_check_template().
   */
  invalidate(id: number): void {
    const records = this.#records;
    this.#check(id);
    // It stays in the index under its old hash, where its changed port keeps lookups from taking it.
    records.set(id, FIELD.ports, DEAD_PORT);
    records.set(id, FIELD.destinationPort, records.get(id, FIELD.destinationPort) | DEAD_PORT);
  }

  /** Restarts the connection's time. */
  touch(id: number, now: Instant, timeoutMs: number): void {
    const expiresAt = now + timeoutMs;
    this.#records.set(id, FIELD.timeout, timeoutMs);
    this.#records.setDouble(id, FIELD.expiresAt, expiresAt);
    this.#wheel.hasten(id, expiresAt);
  }

  /**
   * Looks at up to `budget` connections whose time may be over, and calls `decide` for those whose time is: 0 removes
   * the connection, a number above restarts its time with so many milliseconds. `decide` may change and remove other
   * connections, but not remove the one it is asked about.
   */
  expire(now: Instant, budget: number, decide: (id: number) => number): Expired {
    let removed = 0;
    this.#index.migrate(budget);
    for (let looked = 0; looked < budget; looked++) {
      const id = this.#wheel.due(now);
      if (id === NO_CONNECTION) return { removed, more: false };
      const expiresAt = this.expiresAt(id);
      if (expiresAt > now) {
        this.#wheel.disarm(id);
        this.#wheel.arm(id, expiresAt);
        continue;
      }
      const againMs = decide(id);
      if (againMs > 0) {
        this.#wheel.disarm(id);
        this.#records.set(id, FIELD.timeout, againMs);
        this.#records.setDouble(id, FIELD.expiresAt, now + againMs);
        this.#wheel.arm(id, now + againMs);
      } else {
        this.remove(id);
        removed++;
      }
    }
    return { removed, more: this.#wheel.due(now) !== NO_CONNECTION };
  }

  /** When to call `expire`: at most TICK_MS after something is due, often before; undefined when empty. */
  nextDeadline(): Instant | undefined {
    return this.#wheel.nextDeadline();
  }

  /**
   * The next connection or template in the order of ids, or NO_CONNECTION; start with NO_CONNECTION. The table may
   * change between two calls: what stays is seen once, what comes or goes meanwhile may be seen or not.
   */
  nextId(after: number): number {
    return this.#records.next(after);
  }

  has(id: number): boolean {
    return this.#records.has(id);
  }

  /** Whether lookups return it: its time is not over, or it controls others. */
  isAlive(id: number, now: Instant): boolean {
    return this.expiresAt(id) > now || this.controlledCount(id) > 0;
  }

  state(id: number): number {
    return (this.#records.get(id, FIELD.kind) >>> STATE_SHIFT) & STATE_MASK;
  }

  setState(id: number, state: number): void {
    const rest = this.#records.get(id, FIELD.kind) & ~(STATE_MASK << STATE_SHIFT);
    this.#records.set(id, FIELD.kind, rest | ((state & STATE_MASK) << STATE_SHIFT));
  }

  flags(id: number): number {
    return this.#records.get(id, FIELD.kind) & FLAGS_MASK;
  }

  /** The forwarding method, template and onePacket stay as they were when the connection was added. */
  setFlags(id: number, flags: number): void {
    const kind = this.#records.get(id, FIELD.kind);
    if (((kind ^ flags) & FIXED_FLAGS) !== 0) {
      throw new RangeError(`Cannot change flags ${kind & FLAGS_MASK} of a connection to ${flags}`);
    }
    this.#records.set(id, FIELD.kind, (kind & ~FLAGS_MASK) | (flags & FLAGS_MASK));
  }

  destinationId(id: number): number {
    return this.#records.get(id, FIELD.destinationId);
  }

  setDestinationId(id: number, destinationId: number): void {
    this.#records.set(id, FIELD.destinationId, destinationId);
  }

  /** The template (or other connection) that this one belongs to, or NO_CONNECTION. */
  control(id: number): number {
    return this.#records.get(id, FIELD.control);
  }

  setControl(id: number, control: number): void {
    const records = this.#records;
    const before = records.get(id, FIELD.control);
    if (control !== NO_CONNECTION) {
      this.#check(control);
      records.set(control, FIELD.controlled, records.get(control, FIELD.controlled) + 1);
    }
    if (before !== NO_CONNECTION) {
      records.set(before, FIELD.controlled, records.get(before, FIELD.controlled) - 1);
    }
    records.set(id, FIELD.control, control);
  }

  /** How many connections have this one as their control. */
  controlledCount(id: number): number {
    return this.#records.get(id, FIELD.controlled);
  }

  /** Packets from the client, modulo 2^32. */
  inPackets(id: number): number {
    return this.#records.get(id, FIELD.inPackets) >>> 0;
  }

  setInPackets(id: number, packets: number): void {
    this.#records.set(id, FIELD.inPackets, packets);
  }

  timeoutMs(id: number): number {
    return this.#records.get(id, FIELD.timeout) >>> 0;
  }

  expiresAt(id: number): Instant {
    return this.#records.getDouble(id, FIELD.expiresAt) as Instant;
  }

  mark(id: number): number {
    return this.#records.get(id, FIELD.mark);
  }

  protocol(id: number): number {
    return this.#records.get(id, FIELD.kind) >>> PROTOCOL_SHIFT;
  }

  family(id: number): 4 | 6 {
    return (this.#records.get(id, FIELD.kind) & INET6) === 0 ? 4 : 6;
  }

  /** Word 0 to 3 of the client's address. */
  client(id: number, word: number): number {
    return this.#records.get(id, FIELD.client + word);
  }

  clientPort(id: number): number {
    return this.#records.get(id, FIELD.ports) >>> 16;
  }

  virtual(id: number, word: number): number {
    return this.#records.get(id, FIELD.virtual + word);
  }

  virtualPort(id: number): number {
    return this.#records.get(id, FIELD.ports) & 0xffff;
  }

  destinationFamily(id: number): 4 | 6 {
    return this.#records.get(id, FIELD.destinationPort) >>> 16 === 4 ? 4 : 6;
  }

  destination(id: number, word: number): number {
    return this.#records.get(id, FIELD.destination + word);
  }

  destinationPort(id: number): number {
    return this.#records.get(id, FIELD.destinationPort) & 0xffff;
  }

  #enterIndex(id: number, flow: Flow, binding: Binding): void {
    if (!isIndexed(binding.flags)) return;
    const clientHash = this.#hashOf(flow);
    this.#records.set(id, FIELD.clientHash, clientHash);
    this.#index.insert(clientHash, id);
    if (!isIndexedTwice(binding.flags)) return;
    const replyHash = this.#hashOfReply(flow, binding);
    this.#records.set(id, FIELD.replyHash, replyHash);
    this.#index.insert(replyHash, id);
  }

  #findByClient(flow: Flow, template: number, now: Instant): number {
    const hash = this.#hashOf(flow);
    const { young, old } = this.#index;
    const id = this.#probeClient(young, hash, flow, template, now);
    if (id !== NO_CONNECTION || old === undefined) return id;
    return this.#probeClient(old, hash, flow, template, now);
  }

  #probeClient(slots: Slots, hash: number, flow: Flow, template: number, now: Instant): number {
    const records = this.#records;
    const kind = identityOf(flow) | template;
    const ports = portsOf(flow);
    for (let position = slots.first(hash); position >= 0; position = slots.next(hash, position)) {
      const id = slots.idAt(position);
      const words = records.chunk(id);
      const at = records.offset(id);
      if (
        (words[at + FIELD.kind]! & (IDENTITY_MASK | CONNECTION_FLAG.template)) === kind &&
        words[at + FIELD.ports] === ports &&
        isClient(words, at, flow) &&
        isVirtual(words, at + FIELD.virtual, flow) &&
        this.isAlive(id, now)
      ) {
        return id;
      }
    }
    return NO_CONNECTION;
  }

  #probeReply(slots: Slots, hash: number, flow: Flow, now: Instant): number {
    const records = this.#records;
    const kind = identityOf(flow);
    for (let position = slots.first(hash); position >= 0; position = slots.next(hash, position)) {
      const id = slots.idAt(position);
      const words = records.chunk(id);
      const at = records.offset(id);
      const isMasqueraded = (words[at + FIELD.kind]! & FORWARDING_MASK) === FORWARDING.masquerade;
      const source = isMasqueraded ? FIELD.destination : FIELD.virtual;
      const sourcePort = isMasqueraded ? this.destinationPort(id) : this.virtualPort(id);
      if (
        (words[at + FIELD.kind]! & (IDENTITY_MASK | CONNECTION_FLAG.template)) === kind &&
        words[at + FIELD.ports]! >>> 16 === flow.clientPort &&
        sourcePort === flow.virtualPort &&
        isClient(words, at, flow) &&
        isVirtual(words, at + source, flow) &&
        this.isAlive(id, now)
      ) {
        return id;
      }
    }
    return NO_CONNECTION;
  }

  #hashOf(flow: Flow): number {
    const kind = identityOf(flow);
    const ports = portsOf(flow);
    if (flow.family === 4) return this.#hash.inet(kind, ports, flow.client3, flow.virtual3);
    return this.#hash.inet6(
      kind,
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
    const kind = identityOf(flow);
    const ports = (flow.clientPort << 16) | binding.destinationPort;
    if (flow.family === 4) return this.#hash.inet(kind, ports, flow.client3, binding.destination3);
    return this.#hash.inet6(
      kind,
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

  #check(id: number): void {
    if (!this.#records.has(id)) throw new RangeError(`There is no connection ${id}`);
  }
}

function identityOf(flow: Flow): number {
  return (flow.protocol << PROTOCOL_SHIFT) | (flow.family === 6 ? INET6 : 0);
}

function portsOf(flow: Flow): number {
  return (flow.clientPort << 16) | flow.virtualPort;
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
