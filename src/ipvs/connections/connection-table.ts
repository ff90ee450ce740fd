/**
 * The connections in flight and the persistence templates, at most `limit` of them.
 *
 * A connection is known by an id, a small integer that is used again after its removal. Time does not run by itself
 * here: whoever owns the table calls `expire` when it has time to spare. Until then a connection whose time is over
 * lies in the table, is counted by `size` and listed by `nextId`, but no lookup returns it. One that controls others
 * (a template with connections) is alive whatever its time, as in ip_vs_conn_expire().
 *
 * All memory is reserved by the constructor: a table of small numbers for each packet, and no garbage. No call takes
 * longer because the table is large or grows; `expire` takes as long as its budget says.
 */
import type { Instant } from "../../base/clock.ts";
import type { IpVersion } from "../../net/ip-family.ts";
import { dataFlag, FIELD, INVALID_PORT, KIND, writeEnds } from "./connection-record.ts";
import { type Binding, CONNECTION_FLAG, FIXED_FLAGS, type Flow } from "./flow.ts";
import type { HashKey } from "./flow-hash.ts";
import { FlowLookup } from "./flow-lookup.ts";
import { InheritedConnections } from "./inherited-connections.ts";
import { type Expired, Lifetimes } from "./lifetimes.ts";
import { PersistenceData } from "./persistence-data.ts";
import { checkLimit, RecordStore } from "./record-store.ts";
import { ownMemory, type TableMemory } from "./table-memory.ts";

/** What lookups and `add` return for no connection, and `control` for none. */
export const NO_CONNECTION = -1;

export interface ConnectionTableOptions {
  /** From 1 to 2^24. */
  readonly limit: number;
  /** Two random 32-bit numbers that nobody outside knows. */
  readonly hashKey: HashKey;
  /**
   * When packets of a connection went by that nobody told the table of; asked when its time seems to be over. Negative
   * infinity when there were none.
   */
  readonly lastSeen?: ((table: ConnectionTable, id: number) => Instant) | undefined;
  /** For `limit` connections, perhaps with some of an earlier process (ipvs/tracking/adoption.ts); undefined: memory of its own. */
  readonly memory?: TableMemory | undefined;
}

export class ConnectionTable {
  /**
   * While somebody counts entries: told of each that comes (1), that goes (-1), and that is about to be inactive or active
   * (-1), and is so (1).
   */
  onCounted: ((id: number, change: 1 | -1) => void) | undefined;
  /** What lies in the memory of an earlier process. */
  readonly inherited: InheritedConnections;
  readonly #records: RecordStore;
  readonly #data: PersistenceData;
  readonly #lookup: FlowLookup;
  readonly #lifetimes: Lifetimes;

  constructor({ limit, hashKey, memory, lastSeen }: ConnectionTableOptions) {
    checkLimit(limit);
    const within = memory ?? ownMemory(limit);
    this.#records = new RecordStore(limit, within);
    this.#data = new PersistenceData(within);
    this.#lifetimes = new Lifetimes(this.#records, lastSeen && ((id) => lastSeen(this, id)));
    this.#lookup = new FlowLookup(this.#records, this.#data, hashKey, this.#lifetimes.isKeptAlive);
    this.inherited = new InheritedConnections({
      table: this,
      records: this.#records,
      data: this.#data,
      lookup: this.#lookup,
      lifetimes: this.#lifetimes,
    });
  }

  get limit(): number {
    return this.#records.limit;
  }

  /** Connections and templates, also those whose time is over and that were not swept yet. */
  get size(): number {
    return this.#records.size;
  }

  /**
   * Memory that was written, and so is resident. What the constructor reserves for `limit` connections is up to 192
   * bytes for each, and 256 more for each that has a persistence engine's data.
   */
  get bytes(): number {
    return this.#records.bytes + this.#data.bytes + this.#lookup.bytes + this.#lifetimes.bytes;
  }

  /** The connection of a packet from the client, never a template. */
  findByClient(flow: Flow, now: Instant): number {
    return this.#lookup.findByClient(flow, 0, now);
  }

  /** The template of this masked client, and of the flow's data if there are any. Its client port is 0. */
  findTemplate(flow: Flow, now: Instant): number {
    return this.#lookup.findByClient(flow, CONNECTION_FLAG.template | dataFlag(flow), now);
  }

  /**
   * The connection of a packet from a destination: `virtual…` is the packet's source and `client…` its destination.
   * When a client reaches one destination through two services from one port, the one that was added first is
   * returned; an offload may know the other one alone.
   */
  findByReply(flow: Flow, now: Instant): number {
    return this.#lookup.findByReply(flow, now);
  }

  /**
   * Adds a connection with state 0, or returns NO_CONNECTION when the table is full: the packet is then dropped and
   * counted. The caller has looked for `flow` before: of two living connections of one flow, the first is found.
   */
  add(flow: Flow, binding: Binding, now: Instant, timeoutMs: number): number {
    const records = this.#records;
    const { dataLength } = flow;
    let slot = 0;
    if (dataLength > 0) {
      slot = this.#data.keep(flow.dataBytes, flow.dataStart, dataLength);
      if (slot === NO_CONNECTION) return slot;
    }
    const id = records.allocate();
    if (id === NO_CONNECTION) {
      if (dataLength > 0) this.#data.release(slot);
      return id;
    }
    const { words } = records;
    const at = records.offset(id);
    writeEnds(words, at, flow, binding);
    words[at + FIELD.timeout] = timeoutMs;
    words[at + FIELD.inPackets] = 0;
    words[at + FIELD.control] = NO_CONNECTION;
    words[at + FIELD.controlled] = 0;
    words[at + FIELD.data] = dataLength > 0 ? slot : Math.max(1, Math.floor(now / 1000));
    records.setDouble(id, FIELD.destinationKey, binding.destinationKey);
    records.setDouble(id, FIELD.expiresAt, now + timeoutMs);
    records.commit(id);
    this.#lifetimes.begin(id);
    this.#lookup.enter(id, flow, binding);
    this.onCounted?.(id, 1);
    return id;
  }

  /** Takes a connection out. One that still controls others must not go: that is a bug of the caller. */
  remove(id: number): void {
    const records = this.#records;
    this.#check(id);
    const controlled = records.get(id, FIELD.controlled);
    if (controlled > 0) throw new Error(`Connection ${id} still controls ${controlled} others`);
    this.onCounted?.(id, -1);
    records.withdraw(id);
    this.setControl(id, NO_CONNECTION);
    this.#lifetimes.end(id);
    this.#lookup.leave(id);
    if (this.hasData(id)) this.#data.release(records.get(id, FIELD.data));
    records.free(id);
  }

  /**
   * Makes a template unfindable, so that it only waits for its connections: its virtual and destination ports become
   * 65535, which is how listings show it. ip_vs_check_template().
   */
  invalidateTemplate(id: number): void {
    const records = this.#records;
    this.#lookup.leave(id);
    records.withdraw(id);
    records.set(id, FIELD.ports, INVALID_PORT);
    records.set(id, FIELD.destinationPort, INVALID_PORT | (this.destinationFamily(id) << 16));
    records.commit(id);
  }

  /** Restarts the connection's time with the last packet that went by untold, and says when it ends. */
  catchUp(id: number): Instant {
    return this.#lifetimes.catchUp(id);
  }

  /** Restarts the connection's time. */
  touch(id: number, now: Instant, timeoutMs: number): void {
    this.#lifetimes.restart(id, now, timeoutMs);
  }

  /**
   * Looks at up to `budget` connections whose time may be over, and calls `decide` for those whose time is: 0 removes
   * the connection, a number above restarts its time with so many milliseconds. `decide` may change and remove other
   * connections, but not remove the one it is asked about.
   */
  expire(now: Instant, budget: number, decide: (id: number) => number): Expired {
    this.#lookup.maintain(budget);
    return this.#lifetimes.expire(now, budget, decide, (id) => this.remove(id));
  }

  /** When to call `expire`: at most TICK_MS after something is due, often before; undefined when empty. */
  nextDeadline(): Instant | undefined {
    return this.#lifetimes.nextDeadline();
  }

  /**
   * The next connection or template in the order of ids, or NO_CONNECTION; start with NO_CONNECTION. The table may
   * change between two calls: what stays is seen once, what comes or goes meanwhile may be seen or not.
   */
  nextId(after: number): number {
    return this.#records.next(after);
  }

  /** Every id is below: as many as were ever in use at once. */
  get idEnd(): number {
    return this.#records.end;
  }

  has(id: number): boolean {
    return this.#records.has(id);
  }

  /** Whether lookups return it: its time is not over, or it controls others. */
  isAlive(id: number, now: Instant): boolean {
    return this.#lookup.isAlive(id, now);
  }

  state(id: number): number {
    return (this.#records.get(id, FIELD.kind) >>> KIND.stateShift) & KIND.stateMask;
  }

  setState(id: number, state: number): void {
    const rest = this.#records.get(id, FIELD.kind) & ~(KIND.stateMask << KIND.stateShift);
    this.#records.set(id, FIELD.kind, rest | ((state & KIND.stateMask) << KIND.stateShift));
  }

  flags(id: number): number {
    return this.#records.get(id, FIELD.kind) & KIND.flagsMask;
  }

  /** The forwarding method, template and onePacket stay as they were when the connection was added. */
  setFlags(id: number, flags: number): void {
    const kind = this.#records.get(id, FIELD.kind);
    if (((kind ^ flags) & FIXED_FLAGS) !== 0) {
      throw new RangeError(
        `Cannot change flags ${kind & KIND.flagsMask} of a connection to ${flags}`,
      );
    }
    const isCounted =
      this.onCounted !== undefined && ((kind ^ flags) & CONNECTION_FLAG.inactive) !== 0;
    if (isCounted) this.onCounted?.(id, -1);
    this.#records.set(id, FIELD.kind, (kind & ~KIND.flagsMask) | (flags & KIND.flagsMask));
    if (isCounted) this.onCounted?.(id, 1);
  }

  /** What its destination is known by in every process. */
  destinationKey(id: number): number {
    return this.#records.getDouble(id, FIELD.destinationKey);
  }

  destinationId(id: number): number {
    return this.#records.get(id, FIELD.destinationId);
  }

  setDestinationId(id: number, destinationId: number): void {
    this.#records.set(id, FIELD.destinationId, destinationId);
  }

  /** What a persistence engine finds the template by, a character for each byte; undefined of all else. */
  data(id: number): string | undefined {
    return this.hasData(id) ? this.#data.text(this.#records.get(id, FIELD.data)) : undefined;
  }

  /** Whether a persistence engine finds it. */
  hasData(id: number): boolean {
    return (this.#records.get(id, FIELD.kind) & CONNECTION_FLAG.data) !== 0;
  }

  /**
   * How long ago it was added, to the second. Undefined of one that a persistence engine finds, and of those that a Sluice
   * left which did not write it down.
   */
  ageMs(id: number, now: Instant): number | undefined {
    const seconds = this.hasData(id) ? 0 : this.#records.get(id, FIELD.data);
    return seconds > 0 ? Math.max(0, now - seconds * 1000) : undefined;
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

  /** Of a connection that somebody else restarts: what its last packet brought. */
  setTimeoutMs(id: number, timeoutMs: number): void {
    this.#records.set(id, FIELD.timeout, timeoutMs);
  }

  expiresAt(id: number): Instant {
    return this.#records.getDouble(id, FIELD.expiresAt) as Instant;
  }

  mark(id: number): number {
    return this.#records.get(id, FIELD.mark);
  }

  protocol(id: number): number {
    return this.#records.get(id, FIELD.kind) >>> KIND.protocolShift;
  }

  family(id: number): IpVersion {
    return (this.#records.get(id, FIELD.kind) & KIND.inet6) === 0 ? 4 : 6;
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

  destinationFamily(id: number): IpVersion {
    return this.#records.get(id, FIELD.destinationPort) >>> 16 === 4 ? 4 : 6;
  }

  destination(id: number, word: number): number {
    return this.#records.get(id, FIELD.destination + word);
  }

  destinationPort(id: number): number {
    return this.#records.get(id, FIELD.destinationPort) & 0xffff;
  }

  #check(id: number): void {
    if (!this.#records.has(id)) throw new RangeError(`There is no connection ${id}`);
  }
}
