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
import { FIELD, KIND } from "./connection-record.ts";
import { Binding, CONNECTION_FLAG, FIXED_FLAGS, Flow } from "./flow.ts";
import type { HashKey } from "./flow-hash.ts";
import { FlowLookup, identityOf, portsOf } from "./flow-lookup.ts";
import { PersistenceData } from "./persistence-data.ts";
import { checkLimit, RecordStore } from "./record-store.ts";
import { ownMemory, type TableMemory } from "./table-memory.ts";
import { TimerWheel } from "./timer-wheel.ts";

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

export interface Expired {
  readonly removed: number;
  /** Whether there was more to look at than the budget allowed. */
  readonly more: boolean;
}

const INVALID_PORT = 0xffff;

export class ConnectionTable {
  readonly #records: RecordStore;
  readonly #data: PersistenceData;
  readonly #lookup: FlowLookup;
  readonly #wheel: TimerWheel;
  readonly #lastSeen: ConnectionTableOptions["lastSeen"];

  /** Reused for what is adopted. */
  readonly #flow = new Flow();
  readonly #binding = new Binding();

  constructor({ limit, hashKey, memory, lastSeen }: ConnectionTableOptions) {
    this.#lastSeen = lastSeen;
    checkLimit(limit);
    const within = memory ?? ownMemory(limit);
    this.#records = new RecordStore(limit, within);
    this.#data = new PersistenceData(within);
    const isKeptAlive =
      lastSeen === undefined ? undefined : (id: number, now: Instant) => this.catchUp(id) > now;
    this.#lookup = new FlowLookup(this.#records, this.#data, hashKey, isKeptAlive);
    this.#wheel = new TimerWheel(this.#records);
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
    return this.#records.bytes + this.#data.bytes + this.#lookup.bytes + this.#wheel.bytes;
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
   * When a client reaches one destination through two services from one port, either may be returned.
   */
  findByReply(flow: Flow, now: Instant): number {
    return this.#lookup.findByReply(flow, now);
  }

  /**
   * Adds a connection with state 0, or returns NO_CONNECTION when the table is full: the packet is then dropped and
   * counted. The caller has looked for `flow` before: of two living connections of one flow, either may be found.
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
    words[at + FIELD.client] = flow.client0;
    words[at + FIELD.client + 1] = flow.client1;
    words[at + FIELD.client + 2] = flow.client2;
    words[at + FIELD.client + 3] = flow.client3;
    words[at + FIELD.virtual] = flow.virtual0;
    words[at + FIELD.virtual + 1] = flow.virtual1;
    words[at + FIELD.virtual + 2] = flow.virtual2;
    words[at + FIELD.virtual + 3] = flow.virtual3;
    words[at + FIELD.ports] = portsOf(flow);
    words[at + FIELD.kind] = identityOf(flow) | (binding.flags & KIND.flagsMask) | dataFlag(flow);
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
    words[at + FIELD.data] = slot;
    records.setDouble(id, FIELD.destinationKey, binding.destinationKey);
    records.setDouble(id, FIELD.expiresAt, now + timeoutMs);
    records.commit(id);
    this.#wheel.arm(id, now + timeoutMs);
    this.#lookup.enter(id, flow, binding);
    return id;
  }

  /** Takes a connection out. One that still controls others must not go: that is a bug of the caller. */
  remove(id: number): void {
    const records = this.#records;
    this.#check(id);
    const controlled = records.get(id, FIELD.controlled);
    if (controlled > 0) throw new Error(`Connection ${id} still controls ${controlled} others`);
    records.withdraw(id);
    this.setControl(id, NO_CONNECTION);
    this.#wheel.disarm(id);
    this.#lookup.leave(id);
    if (this.#hasData(id)) this.#data.release(records.get(id, FIELD.data));
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

  /** The next of an earlier process's connections and templates that was neither adopted nor given up, or NO_CONNECTION. */
  nextInherited(after: number): number {
    return this.#records.nextInherited(after);
  }

  /** Whether an inherited record is whole: its process may have ended while it wrote it, or took it out. */
  isWhole(id: number): boolean {
    return this.#records.isCommitted(id);
  }

  /** Whether it says that it is whole. */
  isMarked(id: number): boolean {
    return this.#records.get(id, FIELD.commit) !== 0;
  }

  /**
   * Enters an inherited connection or template as it is, with `destinationId` as its destination, and control if that is
   * an adopted template. False, and it is given up, when its data are not there.
   */
  adopt(id: number, destinationId: number, now: Instant): boolean {
    const records = this.#records;
    if (this.#hasData(id) && !this.#data.claim(records.get(id, FIELD.data))) {
      this.giveUpInherited(id);
      return false;
    }
    records.takeOver(id);
    this.setDestinationId(id, destinationId);
    records.set(id, FIELD.controlled, 0);
    const control = this.control(id);
    records.set(id, FIELD.control, NO_CONNECTION);
    const isControl = records.has(control) && (this.flags(control) & CONNECTION_FLAG.template) > 0;
    if (isControl) this.setControl(id, control);
    // Never later than if its last packet came just now.
    const expiresAt = Math.min(this.expiresAt(id), now + this.timeoutMs(id));
    records.setDouble(id, FIELD.expiresAt, expiresAt);
    // Moves the wheel, which begins at 0, on to now.
    this.#wheel.due(now);
    this.#wheel.arm(id, expiresAt);
    if (!this.#isInvalid(id)) this.#enterAgain(id);
    return true;
  }

  /** Forgets an inherited connection. */
  giveUpInherited(id: number): void {
    this.#records.giveUp(id);
  }

  /** To be called once when all inherited templates were adopted or given up. */
  templatesAdopted(): void {
    this.#data.settle();
  }

  /** Restarts the connection's time with the last packet that went by untold, and says when it ends. */
  catchUp(id: number): Instant {
    const seen = this.#lastSeen?.(this, id) ?? Number.NEGATIVE_INFINITY;
    const expiresAt = (seen + this.timeoutMs(id)) as Instant;
    if (expiresAt > this.expiresAt(id)) this.#records.setDouble(id, FIELD.expiresAt, expiresAt);
    return this.expiresAt(id);
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
    this.#lookup.maintain(budget);
    for (let looked = 0; looked < budget; looked++) {
      const id = this.#wheel.due(now);
      if (id === NO_CONNECTION) return { removed, more: false };
      const expiresAt = this.expiresAt(id);
      if (expiresAt > now) {
        this.#wheel.disarm(id);
        this.#wheel.arm(id, expiresAt);
        continue;
      }
      if (this.#lastSeen !== undefined && this.catchUp(id) > now) {
        this.#wheel.disarm(id);
        this.#wheel.arm(id, this.expiresAt(id));
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
    this.#records.set(id, FIELD.kind, (kind & ~KIND.flagsMask) | (flags & KIND.flagsMask));
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
    return this.#hasData(id) ? this.#data.text(this.#records.get(id, FIELD.data)) : undefined;
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

  #hasData(id: number): boolean {
    return (this.#records.get(id, FIELD.kind) & CONNECTION_FLAG.data) !== 0;
  }

  #isInvalid(id: number): boolean {
    const isTemplate = (this.flags(id) & CONNECTION_FLAG.template) !== 0;
    return isTemplate && this.#records.get(id, FIELD.ports) === INVALID_PORT;
  }

  #enterAgain(id: number): void {
    const { words } = this.#records;
    const at = this.#records.offset(id);
    const flow = this.#flow;
    flow.family = this.family(id);
    flow.protocol = this.protocol(id);
    flow.client0 = words[at + FIELD.client]!;
    flow.client1 = words[at + FIELD.client + 1]!;
    flow.client2 = words[at + FIELD.client + 2]!;
    flow.client3 = words[at + FIELD.client + 3]!;
    flow.clientPort = this.clientPort(id);
    flow.virtual0 = words[at + FIELD.virtual]!;
    flow.virtual1 = words[at + FIELD.virtual + 1]!;
    flow.virtual2 = words[at + FIELD.virtual + 2]!;
    flow.virtual3 = words[at + FIELD.virtual + 3]!;
    flow.virtualPort = this.virtualPort(id);
    flow.dataLength = 0;
    if (this.#hasData(id)) this.#data.read(words[at + FIELD.data]!, flow);
    const binding = this.#binding;
    binding.destination0 = words[at + FIELD.destination]!;
    binding.destination1 = words[at + FIELD.destination + 1]!;
    binding.destination2 = words[at + FIELD.destination + 2]!;
    binding.destination3 = words[at + FIELD.destination + 3]!;
    binding.destinationPort = this.destinationPort(id);
    binding.flags = this.flags(id);
    this.#lookup.enter(id, flow, binding);
  }

  #check(id: number): void {
    if (!this.#records.has(id)) throw new RangeError(`There is no connection ${id}`);
  }
}

function dataFlag({ dataLength }: Flow): number {
  return dataLength > 0 ? CONNECTION_FLAG.data : 0;
}
