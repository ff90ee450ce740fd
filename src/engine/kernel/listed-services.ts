/**
 * The programs' table of services, by which they tell whose a new connection is (bpf/service.h). Those stand in it, too, whose
 * connections the director opens: else a packet of theirs would be taken for one of a service of any port.
 */
import type { VirtualService } from "../../ipvs/services/virtual-service.ts";
import { maskWords } from "../../ipvs/tracking/persistence.ts";
import type { Address } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { FTP_PORT } from "../../net/port.ts";
import { serviceKey, settings, service as value } from "./abi.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import { deleteElement, updateElement } from "./libbpf.ts";

/** In bpf/abi/. */
const NOT_CARRIED = 0xffff_ffff;
const KIND = { mark: 1, ftp: 2, anyPort: 4 } as const;
const KINDS = ["mark", "ftp", "anyPort"] as const;

export class ListedServices {
  /** Whether the host has an address. */
  isLocal: (address: Address) => boolean = () => false;
  readonly #maps: Pick<KernelMaps, "services" | "settings">;
  /** With the numbers of their schedules. */
  readonly #listed = new Map<VirtualService, number | undefined>();
  readonly #unlisted = new Set<VirtualService>();
  #carried = 0;
  #isFilling = false;
  readonly #counts = { mark: 0, ftp: 0, anyPort: 0 };
  readonly #key = new Uint8Array(serviceKey.size);
  readonly #keyView = new DataView(this.#key.buffer);
  readonly #value = new Uint8Array(value.size);
  readonly #valueView = new DataView(this.#value.buffer);

  constructor(maps: Pick<KernelMaps, "services" | "settings">) {
    this.#maps = maps;
  }

  /** False where one had no place: then the programs cannot tell whose a connection is. */
  get isWhole(): boolean {
    return this.#unlisted.size === 0;
  }

  get isCarrying(): boolean {
    return this.#carried > 0;
  }

  /** Whether the programs open a service's connections. */
  carries(service: VirtualService): boolean {
    return this.#listed.get(service) !== undefined;
  }

  /** `index`: of its schedule; undefined where the director opens its connections. */
  set(service: VirtualService, index: number | undefined): void {
    const { protocol } = service;
    if (protocol !== 0 && protocol !== IP_PROTOCOL.tcp && protocol !== IP_PROTOCOL.udp) return;
    if (!this.#listed.has(service)) this.#count(service, 1);
    this.#carried += Number(index !== undefined) - Number(this.carries(service));
    this.#listed.set(service, index);
    this.#fillKey(service);
    const view = this.#valueView;
    view.setUint32(value.index, index ?? NOT_CARRIED, true);
    const { key } = service;
    const isLocal = key.kind === "endpoint" && this.isLocal(key.endpoint.address);
    view.setUint32(value.isLocal, isLocal ? 1 : 0, true);
    this.#fillPersistence(service);
    if (updateElement(this.#maps.services, this.#key, this.#value) < 0) this.#unlisted.add(service);
    else this.#unlisted.delete(service);
  }

  remove(service: VirtualService): void {
    this.#carried -= Number(this.carries(service));
    if (!this.#listed.delete(service)) return;
    this.#unlisted.delete(service);
    this.#fillKey(service);
    deleteElement(this.#maps.services, this.#key);
    this.#count(service, -1);
  }

  /** What the programs find a service by; good until the next call. */
  keyOf(service: VirtualService): Uint8Array {
    this.#fillKey(service);
    return this.#key;
  }

  /** Services are set all at once: which kinds there are is told in the end. */
  together(set: () => void): void {
    this.#isFilling = true;
    try {
      set();
    } finally {
      this.#isFilling = false;
      this.#tellKinds();
    }
  }

  /** The host's addresses may be others. */
  addressesChanged(): void {
    for (const [service, index] of this.#listed) this.set(service, index);
  }

  #fillPersistence({ plan, mark, port }: VirtualService): void {
    const { key, persistence } = plan;
    const view = this.#valueView;
    const family = key.kind === "mark" ? key.family : key.endpoint.address.family;
    for (const [index, word] of maskWords(family, persistence?.netmask ?? 0).entries()) {
      view.setInt32(value.mask + 4 * index, word);
    }
    view.setUint32(value.mark, mark, true);
    view.setUint16(value.port, port);
    view.setUint8(value.isOnePacket, plan.onePacket ? 1 : 0);
    view.setUint8(value.isPersistent, persistence === undefined ? 0 : 1);
  }

  #fillKey({ key, protocol, port }: VirtualService): void {
    const view = this.#keyView;
    const words = key.kind === "mark" ? [0, 0, 0] : wordsOf(key.endpoint.address);
    for (const [index, word] of words.entries()) {
      view.setInt32(serviceKey.address + 4 * index, word);
    }
    if (key.kind === "mark") view.setUint32(serviceKey.address + 12, key.mark, true);
    const family = key.kind === "mark" ? key.family : key.endpoint.address.family;
    view.setUint16(serviceKey.port, port);
    view.setUint8(serviceKey.protocol, protocol);
    view.setUint8(serviceKey.family, family === "inet" ? 4 : 6);
  }

  #count({ mark, port }: VirtualService, change: number): void {
    const counts = this.#counts;
    if (mark !== 0) counts.mark += change;
    else if (port === FTP_PORT) counts.ftp += change;
    else if (port === 0) counts.anyPort += change;
    if (!this.#isFilling) this.#tellKinds();
  }

  #tellKinds(): void {
    const counts = this.#counts;
    const kinds = KINDS.reduce((sum, kind) => (counts[kind] > 0 ? sum | KIND[kind] : sum), 0);
    this.#maps.settings.view.setUint32(settings.kinds, kinds, true);
  }
}

function wordsOf({ w0, w1, w2, w3 }: Address): readonly number[] {
  return [w0, w1, w2, w3];
}
