/** How packets get to each destination: struct way in bpf/abi/, which is good in the generation that it bears. */
import { destination, way } from "./abi.ts";
import type { KernelMaps } from "./kernel-maps.ts";

export class DestinationWays {
  readonly #memory: KernelMaps["destinations"];
  /** Slots to which a way was known in some generation. */
  readonly #known = new Set<number>();

  constructor(memory: KernelMaps["destinations"]) {
    this.#memory = memory;
  }

  /** Slots to which a way was known in some generation. */
  get known(): Iterable<number> {
    return this.#known;
  }

  /** What an earlier process knew is gone on with. */
  inherit(slot: number): void {
    if (!this.isKnownIn(0, slot)) this.#known.add(slot);
  }

  forget(slot: number): void {
    this.#known.delete(slot);
  }

  isKnownIn(generation: number, slot: number): boolean {
    return this.#memory.view.getUint32(placeOf(slot) + way.generation, true) === generation;
  }

  /** `beforeItCounts` writes what belongs to it. */
  set(
    slot: number,
    generation: number,
    interfaceIndex: number,
    mtu: number,
    linkAddresses: Uint8Array,
    beforeItCounts: () => void,
  ): void {
    const { view, bytes } = this.#memory;
    const at = placeOf(slot);
    view.setUint32(at + way.generation, 0, true);
    writeWay(bytes, view, at, interfaceIndex, mtu, linkAddresses);
    beforeItCounts();
    view.setUint32(at + way.generation, generation, true);
    this.#known.add(slot);
  }

  /** No more than this gets there, if it was more. */
  narrow(slot: number, mtu: number): void {
    const { view } = this.#memory;
    const at = placeOf(slot) + way.mtu;
    if (mtu < view.getUint16(at, true)) view.setUint16(at, mtu, true);
  }
}

function placeOf(slot: number): number {
  return slot * destination.size + destination.way;
}

/** All of struct way but its generation. */
export function writeWay(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  interfaceIndex: number,
  mtu: number,
  linkAddresses: Uint8Array,
): void {
  view.setUint32(at + way.departure, interfaceIndex, true);
  view.setUint16(at + way.mtu, Math.min(mtu, 0xffff), true);
  bytes.set(linkAddresses, at + way.linkAddresses);
}
