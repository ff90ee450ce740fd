/** The way of a VIP's packets to one of its servers, and the local ports by which probes that go it are known. */
import type { Tunnel } from "../../ipvs/forward/tunnel.ts";
import type { Address } from "../../net/address.ts";

/** What a probe sends to `server` shall reach it as a client's packet to `vip` does. */
export interface VipPath {
  readonly vip: Address;
  readonly server: Address;
  /** What the director puts around it; undefined with direct routing. */
  readonly tunnel?: Tunnel | undefined;
  /** For ICMP's echo requests, whose identifier has the part of a port. */
  readonly isPing?: boolean | undefined;
}

/** Its ports tell a path from the others of the same VIP. */
export interface PathWithPorts extends VipPath {
  readonly ports: readonly number[];
}

/** Both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export function pathName({ vip, server, tunnel, isPing }: VipPath): string {
  const way = tunnel === undefined ? "" : ` ${JSON.stringify(tunnel)}`;
  return `${vip.toString()} ${server.toString()}${way}${isPing ? " ping" : ""}`;
}
