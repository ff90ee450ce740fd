/**
 * What the programs tell: connections that are new, or in a new state, which the director's table follows. What had no place in their
 * ring is made good by looking at all that there is.
 */
import { NO_CONNECTION } from "../../ipvs/connections/connection-table.ts";
import { CONNECTION_FLAG, Flow } from "../../ipvs/connections/flow.ts";
import type { OffloadListener } from "../../ipvs/offload.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import { flowKey, news, tally } from "./abi.ts";
import { EntryView, type KernelEntries, readFlow } from "./kernel-entries.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import type { KernelServices } from "./kernel-services.ts";
import type { Ownership } from "./ownership.ts";

/** Of a connection that was told as it was opened, and moved on by the packet that did so. */
const OPENING_VERSION = 1;
const NO_VERSION = -1;

export interface KernelNewsParts {
  readonly maps: KernelMaps;
  readonly entries: KernelEntries;
  readonly mirror: KernelServices;
  readonly ownership: Ownership;
}

export class KernelNews {
  readonly #parts: KernelNewsParts;
  readonly #flow = new Flow();
  readonly #told = new EntryView();
  #listener!: OffloadListener;
  #unheard = 0;
  /** To which version a connection that is told of is new. */
  #newUpTo = OPENING_VERSION;
  /** News had no place that were not made good yet. */
  #isBehind = false;
  #isTelling = false;

  constructor(parts: KernelNewsParts) {
    this.#parts = parts;
  }

  listen(listener: OffloadListener): void {
    this.#listener = listener;
  }

  /** Hears all that was told. */
  tell(): void {
    const { maps, ownership } = this.#parts;
    if (maps.news.isEmpty && !this.#isBehind && !ownership.hasUnforgotten) return;
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      ownership.forgetUnforgotten();
      this.#hearNews();
      const unheard = this.#countUnheard();
      this.#isBehind = unheard !== this.#unheard;
      if (!this.#isBehind) return;
      // What waits may have been seen already, and have ended, when it is told.
      this.#newUpTo = NO_VERSION;
      if (this.#walk()) this.#unheard = unheard;
      this.#hearNews();
      // As long as that took, news may have had no place, though now nothing waits.
      this.#isBehind = this.#countUnheard() !== this.#unheard;
    } finally {
      this.#isTelling = false;
    }
  }

  /** All that is there will be looked at: what was not heard until now is no loss. */
  beginAnew(): void {
    this.#unheard = this.#countUnheard();
  }

  /** A connection is new, or in a new state. `at`: where its flow lies. */
  hear(view: DataView, at: number, entry: EntryView): void {
    const listener = this.#listener;
    const { mirror, ownership } = this.#parts;
    const destination = mirror.at(entry.slot) ?? this.#orphan(view, at, entry.slot);
    const flow = readFlow(this.#flow, view, at);
    if (isSingle(entry)) {
      if (destination !== undefined) listener.led(flow, entry.with(destination));
      return;
    }
    const id = listener.known(flow);
    if (id !== NO_CONNECTION && ownership.isOf(id, entry)) {
      ownership.follow(id, entry);
      return;
    }
    // Its entry is this one's now; what its server sends may be, too.
    if (id !== NO_CONNECTION) {
      const { table } = listener;
      const isSameServer =
        table.destinationPort(id) === entry.destinationPort &&
        listener.destinationOf(id) === destination;
      if (isSameServer) ownership.handOverReply(id);
      listener.replaced(id);
    }
    const opened =
      destination === undefined
        ? NO_CONNECTION
        : listener.opened(readFlow(this.#flow, view, at), entry.with(destination));
    if (opened === NO_CONNECTION) {
      const flow = new Uint8Array(view.buffer, view.byteOffset + at, flowKey.size);
      ownership.forget({ flow, epoch: entry.epoch, destination });
      return;
    }
    ownership.begin(opened, entry);
    if (destination!.load.slot >= 0) return;
    destination!.bind(entry.flags);
    ownership.take(listener.table, opened);
  }

  #hearNews(): void {
    const wereAll = this.#parts.maps.news.drain((view, at) => {
      const [flow, entry] = [at + news.flow, this.#told.read(view, at + news.connection)];
      const isNew = entry.version <= this.#newUpTo || isSingle(entry);
      if (isNew || this.#isPresent(view, flow, entry)) this.hear(view, flow, entry);
    });
    if (wereAll) this.#newUpTo = OPENING_VERSION;
  }

  /** Of an unknown one that is not new the programs are asked: the director may have ended it since this was told. */
  #isPresent(view: DataView, at: number, entry: EntryView): boolean {
    const { entries, ownership } = this.#parts;
    const id = this.#listener.known(readFlow(this.#flow, view, at));
    if (id !== NO_CONNECTION && ownership.isOf(id, entry)) return true;
    return entries.has(view, at, entry.epoch);
  }

  /** Some news had no place: all that there is is looked at. False when the kernel did not let us. */
  #walk(): boolean {
    const { entries } = this.#parts;
    for (const each of entries.all()) {
      if (each !== undefined) this.hear(each.view, each.at, each.entry);
      else if (entries.wasRefused) return false;
    }
    // Of templates that led single datagrams alone nobody else tells.
    entries.pruneTemplates(this.#listener.table);
    return true;
  }

  #countUnheard(): number {
    return Number(this.#parts.maps.tally.view.getBigUint64(tally.unheard, true));
  }

  /** What stands for a server that an earlier process knew, and that is not configured any more. */
  #orphan(view: DataView, at: number, slot: number): Destination | undefined {
    const family = view.getUint8(at + flowKey.family);
    const server = this.#parts.mirror.inheritedServerOf(slot, family);
    return server && this.#listener.orphan(server);
  }
}

/** It has ended with its packet. */
function isSingle({ flags }: EntryView): boolean {
  return (flags & CONNECTION_FLAG.onePacket) !== 0;
}
