/** What the director asks of the host that it runs on: addresses, routes, memory. Lookups, no waiting. */
import type { Address, Family } from "../net/address.ts";

/** Where a packet leaves the host. */
export interface Route {
  readonly interfaceIndex: number;
  /** The neighbour that gets the frame: the destination itself when it is on the link, else a gateway. */
  readonly nextHop: Address;
  /** The address that packets of the host's own would carry as source. */
  readonly source: Address;
  /** Largest IP packet in bytes. */
  readonly mtu: number;
}

export interface Host {
  /** Grows whenever an answer below may have changed, so that callers can keep answers until then. */
  readonly generation: number;
  /** Whether packets to `address` are the host's own: an address of an interface, or a local route. */
  isLocal(address: Address): boolean;
  route(destination: Address): Route | "local" | "unreachable";
  /** Whether the host forwards packets that are not its own (net.ipv4.ip_forward and its IPv6 kin). */
  isForwarding(family: Family): boolean;
  /** Memory that is free or holds buffers, in pages of the processor's size: si_meminfo(). */
  availablePages(): number;
}
