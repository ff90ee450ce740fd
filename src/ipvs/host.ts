/** What the director asks of the host that it runs on: addresses, routes, memory. Lookups, no waiting. */
import type { Address, Family } from "../net/address.ts";
import type { Trouble } from "./forward/notices.ts";

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
  /** Where a packet of the host's own to `destination` leaves, whatever its source. */
  route(destination: Address): Route | "local" | "unreachable";
  /** As route() for a packet that bears `source` and the firewall mark `mark`, which routing rules may look at. */
  routeFrom(source: Address, destination: Address, mark: number): Route | "local" | "unreachable";
  /** Whether the host's limits on ICMP errors allow one more of this kind to `recipient`; asking counts as sending. */
  mayTell(recipient: Address, trouble: Trouble["kind"]): boolean;
  /** Whether the host forwards packets that are not its own (net.ipv4.ip_forward and its IPv6 kin). */
  isForwarding(family: Family): boolean;
  /** Memory that is free or holds buffers, in pages of the processor's size: si_meminfo(). */
  availablePages(): number;
}
