/**
 * Who has which connection. Each has one owner, which its word in the programs' table says: the programs, which change it with its
 * packets; or the director, whose packets they leave. It takes a connection whose packet comes to it, deals with the packet as ever,
 * and gives it back once that has gone out.
 */
import type { Instant } from "../../base/clock.ts";
import { type ConnectionTable, NO_CONNECTION } from "../../ipvs/connections/connection-table.ts";
import { CONNECTION_FLAG, Flow, FORWARDING, FORWARDING_MASK } from "../../ipvs/connections/flow.ts";
import { PROTOCOL } from "../../ipvs/connections/protocol-states.ts";
import type { OffloadListener } from "../../ipvs/offload.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import { MONOTONIC_CLOCK } from "../host/system/monotonic-clock.ts";
import {
  type Admission,
  type EntryView,
  flowBytes,
  type KernelEntries,
  type ReplyWay,
  readReplyFlow,
} from "./kernel-entries.ts";

/** The director alone, the director with the programs knowing that, the programs. */
const OWNER = { nobody: 0, director: 1, kernel: 2 } as const;

/** No generation. */
const EXPECTED = 0xffff_ffff;
const EPOCH_END = 0xffff_ffff;

/** An entry that is to go. `destination`: which counts it still. */
interface Unforgotten {
  readonly flow: Uint8Array;
  readonly epoch: number;
  readonly destination?: Destination | undefined;
}

export interface OwnershipParts {
  readonly entries: KernelEntries;
  readonly connectionsMax: number;
  /** Odd, and none of an earlier process's. */
  readonly firstEpoch: number;
}

export class Ownership {
  readonly #entries: KernelEntries;
  /** By connection: who has it, which it is of those that its entry has had, and how often that has changed. */
  readonly #owner: Uint8Array;
  readonly #epoch: Uint32Array;
  readonly #version: Uint8Array;
  /** The generation in which the way of its replies was told; 0 for never, EXPECTED where the programs may know it. */
  readonly #answered: Uint32Array;
  readonly #flow = new Flow();
  /** Entries that are to go, and that the kernel has yet to let us take out. */
  readonly #unforgotten: Unforgotten[] = [];
  #listener!: OffloadListener;
  /** The director's own are odd. */
  #nextEpoch: number;
  /** Connections that found no room in the programs' table. */
  full = 0;

  constructor({ entries, connectionsMax, firstEpoch }: OwnershipParts) {
    this.#entries = entries;
    this.#owner = new Uint8Array(connectionsMax);
    this.#epoch = new Uint32Array(connectionsMax);
    this.#version = new Uint8Array(connectionsMax);
    this.#answered = new Uint32Array(connectionsMax);
    this.#nextEpoch = firstEpoch;
  }

  listen(listener: OffloadListener): void {
    this.#listener = listener;
  }

  isKernels(id: number): boolean {
    return this.#owner[id] === OWNER.kernel;
  }

  /** Whether an entry is of the connection, and not of another of the same flow. */
  isOf(id: number, { epoch }: EntryView): boolean {
    return this.#epoch[id] === epoch && this.#owner[id] !== OWNER.nobody;
  }

  /** The programs told of a connection that they have. */
  begin(id: number, entry: EntryView): void {
    this.#owner[id] = OWNER.kernel;
    this.#epoch[id] = entry.epoch;
    this.#version[id] = entry.version;
    this.#answered[id] = isMasqueraded(this.#listener.table, id) ? EXPECTED : 0;
  }

  /** Goes on as an entry says that an earlier process left. */
  adopt(id: number, entry: EntryView): void {
    this.#owner[id] = entry.isDirectors ? OWNER.director : OWNER.kernel;
    this.#epoch[id] = entry.epoch;
    this.#answered[id] = isMasqueraded(this.#listener.table, id) ? EXPECTED : 0;
    this.moved(id, entry);
  }

  /** The entry is another connection's now, whose server sends the same. */
  handOverReply(id: number): void {
    this.#answered[id] = 0;
  }

  /** The programs told of the connection, which is still theirs: what they told before may come later. */
  follow(id: number, entry: EntryView): void {
    const isNewer = (entry.version - this.#version[id]!) << 24 > 0;
    if (isNewer && this.#owner[id] === OWNER.kernel) this.moved(id, entry);
  }

  moved(id: number, entry: EntryView): void {
    this.#version[id] = entry.version;
    this.#listener.moved(id, entry.with(this.#listener.destinationOf(id)));
  }

  /** As Offload's. */
  take(connections: ConnectionTable, id: number): boolean {
    if (this.#owner[id] !== OWNER.kernel) return true;
    const entry = this.#entries.take(connections, id);
    // It stays the programs', and its next packet asks again.
    if (this.#entries.wasRefused) return true;
    if (entry === undefined || entry.epoch !== this.#epoch[id]) return false;
    this.#owner[id] = OWNER.director;
    this.moved(id, entry);
    return true;
  }

  /** The programs know from now on that the connection is the director's, and do not open it as some service's. */
  claim(id: number): void {
    if (this.#owner[id] !== OWNER.nobody || !isForPrograms(this.#listener.table, id)) return;
    this.#put(id, true, undefined);
  }

  /** The connection is the programs' from now on. `admission`: undefined where that is as it was. */
  give(id: number, admission: Admission | undefined): void {
    this.#put(id, false, admission);
  }

  /** How what the connection's server sends gets to its client. */
  tellReply(id: number, way: ReplyWay): void {
    if (this.#answered[id] === way.generation || this.#isBothWays(id)) return;
    this.#entries.setReply(this.#listener.table, id, way);
    this.#answered[id] = way.generation;
  }

  /** As Offload's, of what is no template. */
  release(connections: ConnectionTable, id: number): boolean {
    const owner = this.#owner[id];
    if (owner === OWNER.nobody) return true;
    const epoch = this.#epoch[id]!;
    const entry = this.#entries.forget(connections, id, epoch);
    const { wasRefused } = this.#entries;
    if (wasRefused) this.#unforgotten.push({ flow: flowBytes(connections, id), epoch });
    if (this.#answered[id] !== 0) this.#entries.removeReply(connections, id);
    this.#owner[id] = OWNER.nobody;
    this.#answered[id] = 0;
    // What the director has it has moved on itself.
    if (entry !== undefined && owner === OWNER.kernel) connections.setFlags(id, entry.flags);
    return entry !== undefined || wasRefused || owner === OWNER.director;
  }

  /** As Offload's. */
  lastSeen(connections: ConnectionTable, id: number): Instant {
    const none = Number.NEGATIVE_INFINITY as Instant;
    if (this.#owner[id] !== OWNER.kernel) return none;
    const entry = this.#entries.look(connections, id);
    // Nobody knows; it is asked again when its time would be over.
    if (this.#entries.wasRefused) return MONOTONIC_CLOCK.now();
    if (entry === undefined || entry.epoch !== this.#epoch[id]) return none;
    connections.setInPackets(id, entry.packets);
    connections.setTimeoutMs(id, entry.timeoutMs);
    return entry.seen;
  }

  /** Takes out an entry that nobody here has a connection of. */
  forget({ flow, epoch, destination }: Unforgotten): void {
    const ended = this.#entries.forgetFlow(flow, epoch);
    if (this.#entries.wasRefused) {
      this.#unforgotten.push({ flow: flow.slice(), epoch, destination });
    } else if (ended !== undefined) {
      destination?.unbind(ended.flags);
    }
  }

  get hasUnforgotten(): boolean {
    return this.#unforgotten.length > 0;
  }

  /** What the kernel refused to take out is tried again, until it refuses once more. */
  forgetUnforgotten(): void {
    for (let each = this.#unforgotten.pop(); each !== undefined; each = this.#unforgotten.pop()) {
      this.forget(each);
      if (this.#entries.wasRefused) return;
    }
  }

  /** Whether what the connection's server sends is what a client of another connection sends, too. */
  #isBothWays(id: number): boolean {
    const { table } = this.#listener;
    return this.#listener.known(readReplyFlow(this.#flow, table, id)) !== NO_CONNECTION;
  }

  #put(id: number, isDirectors: boolean, admission: Admission | undefined): void {
    const { table } = this.#listener;
    const { slot } = this.#listener.destinationOf(id).load;
    if (slot < 0 && !isDirectors) return;
    if (this.#owner[id] === OWNER.nobody) {
      this.#epoch[id] = this.#nextEpoch;
      this.#nextEpoch = this.#nextEpoch >= EPOCH_END - 1 ? 1 : this.#nextEpoch + 2;
    }
    const version = (this.#version[id]! + 1) & 0xff;
    const entry = { epoch: this.#epoch[id]!, version, isDirectors };
    // Where the director's go nobody asks.
    if (!this.#entries.give(table, id, Math.max(slot, 0), entry, admission)) {
      if (!this.#entries.wasRefused) this.full++;
      return;
    }
    this.#version[id] = version;
    this.#owner[id] = isDirectors ? OWNER.director : OWNER.kernel;
  }
}

export function isMasqueraded(connections: ConnectionTable, id: number): boolean {
  return (connections.flags(id) & FORWARDING_MASK) === FORWARDING.masquerade;
}

/** Whether the programs would meet the connection, or open it in their own way. */
export function isForPrograms(connections: ConnectionTable, id: number): boolean {
  const flags = connections.flags(id);
  const protocol = connections.protocol(id);
  if (protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) return false;
  return (flags & (CONNECTION_FLAG.template | CONNECTION_FLAG.onePacket)) === 0;
}
