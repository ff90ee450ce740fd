/**
 * What an earlier process left of services where the programs have it: destinations by slots, services by indices, lists. Each is
 * gone on with by whoever claims it, and the rest is let go of when nothing points there any more.
 */

import type { OrphanedServer } from "../../ipvs/services/orphan.ts";
import { Address } from "../../net/address.ts";
import { destination, plan, schedule, service, serviceKey, turn } from "./abi.ts";
import { DESTINATIONS_MAX, type KernelMaps, SERVICES_MAX } from "./kernel-maps.ts";
import { elementsOf } from "./libbpf.ts";
import type { MemberList } from "./member-lists.ts";

/** A plan as it is in force. */
export interface InheritedPlan extends MemberList {
  /** Where the plan lies in `schedules`. */
  readonly at: number;
}

export class InheritedServices {
  readonly #maps: KernelMaps;
  readonly #slots = new Map<number, number>();
  readonly #unclaimed = new Set<number>();
  /** Of services that the programs know, by key. */
  readonly #indices = new Map<string, { readonly index: number; readonly key: Uint8Array }>();

  constructor(maps: KernelMaps) {
    this.#maps = maps;
    const { view } = maps.destinations;
    for (let slot = 0; slot < DESTINATIONS_MAX; slot++) {
      const key = Number(view.getBigUint64(slot * destination.size + destination.key, true));
      if (key === 0) continue;
      this.#slots.set(key, slot);
      this.#unclaimed.add(slot);
    }
    for (const { key, value } of elementsOf(maps.services, serviceKey.size, service.size)) {
      const index = new DataView(value.buffer, value.byteOffset).getUint32(service.index, true);
      this.#indices.set(textOf(key), { index, key: key.slice() });
    }
  }

  /** Those that are used. */
  slots(): ReadonlySet<number> {
    return new Set(this.#slots.values());
  }

  /** Of those whose connections the programs open. */
  indices(): ReadonlySet<number> {
    const all = [...this.#indices.values()].map(({ index }) => index);
    return new Set(all.filter((index) => index < SERVICES_MAX));
  }

  /** The slot of a destination, which is the caller's from then on. */
  claim(key: number): number | undefined {
    const slot = this.#slots.get(key);
    return slot !== undefined && this.#unclaimed.delete(slot) ? slot : undefined;
  }

  slotOf(key: number): number | undefined {
    return this.#slots.get(key);
  }

  /** Nobody has it any more. */
  release(slot: number): void {
    if (this.#slots.get(this.keyOf(slot)) === slot) this.#unclaimed.add(slot);
  }

  indexOf(key: Uint8Array): number | undefined {
    const index = this.#indices.get(textOf(key))?.index;
    return index === undefined || index >= SERVICES_MAX ? undefined : index;
  }

  /** Services of other keys than these; an index is no schedule's where the director opened their connections. */
  *besides(
    keys: ReadonlySet<string>,
  ): Generator<{ readonly index: number; readonly key: Uint8Array }> {
    for (const [text, each] of this.#indices) if (!keys.has(text)) yield each;
  }

  unclaimed(): ReadonlySet<number> {
    return this.#unclaimed;
  }

  planOf(index: number): InheritedPlan {
    const { view } = this.#maps.schedules;
    const at = index * schedule.size;
    const which = view.getUint16(at + schedule.turn + turn.plan, true) & 1;
    const planAt = at + schedule.plans + which * plan.size;
    return {
      at: planAt,
      first: view.getUint32(planAt + plan.first, true),
      count: view.getUint32(planAt + plan.count, true),
      size: 2 ** view.getUint32(planAt + plan.levels, true),
      tag: view.getUint32(planAt + plan.tag, true),
    };
  }

  /** What every process knows the destination of a slot by; 0 where there is none. */
  keyOf(slot: number): number {
    const { view } = this.#maps.destinations;
    return Number(view.getBigUint64(slot * destination.size + destination.key, true));
  }

  serverOf(slot: number, family: number): OrphanedServer {
    const { view } = this.#maps.destinations;
    const at = slot * destination.size + destination.address;
    const [w0, w1, w2, w3] = [0, 4, 8, 12].map((offset) => view.getInt32(at + offset)) as Four;
    const address = family === 4 ? Address.inet(w3) : Address.inet6(w0, w1, w2, w3);
    return { key: this.keyOf(slot), address };
  }
}

type Four = [number, number, number, number];

export function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString("latin1");
}
