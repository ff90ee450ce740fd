/** Neighbours to which the programs send, as they knew them in this generation. */
import type { Address } from "../../net/address.ts";
import type { HostNetwork } from "../host/host-network.ts";

interface UsedNeighbour {
  readonly interfaceIndex: number;
  readonly address: Address;
  /** The neighbour's and the interface's own. */
  readonly linkAddresses: Uint8Array;
}

export class UsedNeighbours {
  readonly #all = new Map<Uint8Array, UsedNeighbour>();

  use(interfaceIndex: number, address: Address, linkAddresses: Uint8Array): void {
    this.#all.set(linkAddresses, { interfaceIndex, address, linkAddresses });
  }

  /** A new generation knows none. */
  clear(): void {
    this.#all.clear();
  }

  /** The address of the one with this link-layer address. */
  addressWith(index: number, mac: Uint8Array): string | undefined {
    for (const { interfaceIndex, address, linkAddresses } of this.#all.values()) {
      if (interfaceIndex === index && mac.every((byte, at) => byte === linkAddresses[at])) {
        return `${address}`;
      }
    }
    return undefined;
  }

  /** Whether one of them is another by now. Asking also shows the host that they are in use. */
  haveMoved(network: HostNetwork): boolean {
    for (const { interfaceIndex, address, linkAddresses } of this.#all.values()) {
      const neighbour = network.neighbour(interfaceIndex, address);
      if (neighbour === undefined) {
        // One of an interface that asks nobody is in no table.
        if (network.links.get(interfaceIndex)?.unaskedMac === undefined) return true;
        continue;
      }
      if (neighbour.mac.some((byte, index) => byte !== linkAddresses[index])) return true;
      if (neighbour.isStale) network.seekNeighbour(interfaceIndex, address);
    }
    return false;
  }
}
