/** The kernel's table of neighbours, as it tells of it: RTM_NEWNEIGH, include/uapi/linux/neighbour.h. */
import type { Address } from "../../net/address.ts";
import { MAC_LENGTH } from "../../net/mac-address.ts";
import { AddressMap } from "./address-map.ts";
import { RTM } from "./netlink/netlink.ts";
import { addressIn, familyNumber, familyOf } from "./netlink/netlink-address.ts";
import { attributesIn, type Message, viewOf } from "./netlink/netlink-message.ts";

export interface KernelNeighbour {
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** It was so once; whoever uses it has the kernel confirm it. */
  readonly isStale: boolean;
  /** When that was asked of the kernel, by the asker's clock. */
  confirmingSince: number;
}

/** What became of a neighbour. "lost": the kernel asked in vain. "unknown": it has no address, or is not in the table. */
export type NeighbourFate = "known" | "lost" | "unknown";

export interface NeighbourNews {
  readonly interfaceIndex: number;
  readonly address: Address;
  readonly fate: NeighbourFate;
}

/** struct ndmsg. */
export const NEIGHBOUR_HEADER_LENGTH = 12;
const at = { family: 0, interfaceIndex: 4, state: 8, flags: 10 } as const;
const NDA = { destination: 1, linkLayerAddress: 2 } as const;
/** NTF_USE: not a fact that we tell, but a wish that the kernel find out. */
const NTF_USE = 0x1;

/** NUD_*: REACHABLE, NOARP, PERMANENT; STALE, DELAY, PROBE, which are believed too; FAILED. INCOMPLETE is not known yet. */
const CONFIRMED = 0x02 | 0x40 | 0x80;
const STALE = 0x04 | 0x08 | 0x10;
const FAILED = 0x20;

/** Silent neighbours that are remembered: the kernel's table has no more by default (gc_thresh3). */
const SILENT_MAX = 1_024;

export class NeighbourTable {
  readonly #entries = new AddressMap<KernelNeighbour>();
  /** Those whom the kernel asked in vain, until they answer or their entries go. */
  readonly #silent = new AddressMap<true>();
  #silentCount = 0;

  find(interfaceIndex: number, address: Address): KernelNeighbour | undefined {
    return this.#entries.get(interfaceIndex, address);
  }

  isSilent(interfaceIndex: number, address: Address): boolean {
    return this.#silentCount > 0 && this.#silent.get(interfaceIndex, address) !== undefined;
  }

  /** Takes over what a message tells, and says it; undefined when it is not about a neighbour. */
  apply({ type, body }: Message): NeighbourNews | undefined {
    if (type !== RTM.newNeighbour && type !== RTM.deleteNeighbour) return undefined;
    const family = familyOf(body[at.family]);
    if (family === undefined || body.length < NEIGHBOUR_HEADER_LENGTH) return undefined;
    const attributes = attributesIn(body, NEIGHBOUR_HEADER_LENGTH);
    const address = addressIn(attributes.get(NDA.destination), family);
    if (address === undefined) return undefined;
    const view = viewOf(body);
    const interfaceIndex = view.getInt32(at.interfaceIndex, true);
    const state = type === RTM.deleteNeighbour ? 0 : view.getUint16(at.state, true);
    const mac = attributes.get(NDA.linkLayerAddress);
    if ((state & (CONFIRMED | STALE)) === 0 || mac?.length !== MAC_LENGTH) {
      this.#entries.delete(interfaceIndex, address);
      const isSilent = (state & FAILED) !== 0;
      if (isSilent) this.#addSilent(interfaceIndex, address);
      else if (type === RTM.deleteNeighbour) this.#removeSilent(interfaceIndex, address);
      return { interfaceIndex, address, fate: isSilent ? "lost" : "unknown" };
    }
    this.#removeSilent(interfaceIndex, address);
    this.#entries.set(interfaceIndex, address, {
      mac: mac.slice(),
      isStale: (state & STALE) !== 0,
      confirmingSince: Number.NEGATIVE_INFINITY,
    });
    return { interfaceIndex, address, fate: "known" };
  }

  #addSilent(interfaceIndex: number, address: Address): void {
    if (this.#silentCount >= SILENT_MAX || this.isSilent(interfaceIndex, address)) return;
    this.#silent.set(interfaceIndex, address, true);
    this.#silentCount++;
  }

  #removeSilent(interfaceIndex: number, address: Address): void {
    if (!this.isSilent(interfaceIndex, address)) return;
    this.#silent.delete(interfaceIndex, address);
    this.#silentCount--;
  }
}

/**
 * The body and attribute of a RTM_NEWNEIGH that has the host's stack find out `address` as if it had a packet for it:
 * neigh_event_send().
 */
export function neighbourWish(
  interfaceIndex: number,
  address: Address,
): { fixed: Uint8Array; attributes: [number, Uint8Array][] } {
  const fixed = new Uint8Array(NEIGHBOUR_HEADER_LENGTH);
  const view = viewOf(fixed);
  fixed[at.family] = familyNumber(address.family);
  view.setInt32(at.interfaceIndex, interfaceIndex, true);
  fixed[at.flags] = NTF_USE;
  return { fixed, attributes: [[NDA.destination, address.bytes()]] };
}
