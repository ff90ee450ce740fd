/** Which link-layer addresses the host's own stack knows: RTM_NEWNEIGH, include/uapi/linux/neighbour.h. */
import type { Address } from "../../../net/address.ts";
import { MAC_LENGTH } from "../../../net/mac-address.ts";
import { AddressMap } from "./address-map.ts";
import { RTM } from "./netlink.ts";
import { attributesIn, type Message, viewOf } from "./netlink-message.ts";
import { addressIn, familyNumber, familyOf } from "./route-table.ts";

/** "permanent": an operator says so. "confirmed": heard of just now. "stale": was so once. */
type Certainty = "permanent" | "confirmed" | "stale";

export interface NeighbourKey {
  readonly interfaceIndex: number;
  readonly address: Address;
}

export interface KernelNeighbour {
  /** Six bytes. */
  readonly mac: Uint8Array;
  readonly certainty: Certainty;
}

/** struct ndmsg. */
export const NEIGHBOUR_HEADER_LENGTH = 12;
const at = { family: 0, interfaceIndex: 4, state: 8, flags: 10 } as const;
const NDA = { destination: 1, linkLayerAddress: 2 } as const;
/** NTF_USE: not a fact that we tell, but a wish that the kernel find out. */
const NTF_USE = 0x1;

/** NUD_*: REACHABLE; STALE, DELAY, PROBE; PERMANENT. INCOMPLETE, FAILED and NOARP say nothing of use. */
const CONFIRMED = 0x02;
const STALE = 0x04 | 0x08 | 0x10;
const PERMANENT = 0x80;

export class NeighbourTable {
  readonly #entries = new AddressMap<KernelNeighbour>();

  find(interfaceIndex: number, address: Address): KernelNeighbour | undefined {
    return this.#entries.get(interfaceIndex, address);
  }

  /** Takes over what a message tells: about whom it is, or undefined when it is not about a neighbour. */
  apply({ type, body }: Message): NeighbourKey | undefined {
    if (type !== RTM.newNeighbour && type !== RTM.deleteNeighbour) return undefined;
    const family = familyOf(body[at.family]);
    if (family === undefined || body.length < NEIGHBOUR_HEADER_LENGTH) return undefined;
    const attributes = attributesIn(body, NEIGHBOUR_HEADER_LENGTH);
    const address = addressIn(attributes.get(NDA.destination), family);
    if (address === undefined) return undefined;
    const view = viewOf(body);
    const interfaceIndex = view.getInt32(at.interfaceIndex, true);
    const mac = attributes.get(NDA.linkLayerAddress);
    const certainty = certaintyOf(view.getUint16(at.state, true));
    const isKnown = type === RTM.newNeighbour && certainty !== undefined;
    if (!isKnown || mac?.length !== MAC_LENGTH) this.#entries.delete(interfaceIndex, address);
    else this.#entries.set(interfaceIndex, address, { mac: mac.slice(), certainty });
    return { interfaceIndex, address };
  }
}

/** The body and attribute of a RTM_NEWNEIGH that has the host's stack find `address` out by itself, and keep it. */
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

function certaintyOf(state: number): Certainty | undefined {
  if (state & PERMANENT) return "permanent";
  if (state & CONFIRMED) return "confirmed";
  return state & STALE ? "stale" : undefined;
}
