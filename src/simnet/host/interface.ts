/** A network interface and the addresses on it. */
import type { Address } from "../../net/address.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import { prefixContains } from "../../net/prefix.ts";
import type { Cable } from "../link/switch.ts";

/** How far an address or a route is good for: rtnetlink's numbers, nearer is greater. */
export const SCOPE = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;
export type ScopeName = keyof typeof SCOPE;

export interface InterfaceAddress {
  readonly address: Address;
  readonly prefixLength: number;
  readonly broadcast: Address | undefined;
  /** `eth0:2` where ifconfig made it; IPv6 knows none. */
  readonly label: string;
  readonly scope: ScopeName;
  /** In a network in which the interface had an address before. */
  readonly isSecondary: boolean;
  /** No source for what begins now: RFC 6724 section 5, rule 3. */
  readonly isDeprecated: boolean;
}

/** What packets are put into: IP, GRE, or UDP with GUE (draft-ietf-intarea-gue). */
export type TunnelForm = "ip" | "gre" | "gue";

/** A tunnel's end that takes packets out of others. */
export interface TunnelEnd {
  /** As `ip link` shows it. */
  readonly kind: string;
  readonly takes: readonly TunnelForm[];
  /** A program's: rules keep what it takes from the host's own stack. */
  readonly silencesHost?: boolean;
  /** 0.0.0.0 or ::, any, where undefined. */
  readonly local: Address | undefined;
  readonly remote: Address | undefined;
}

export interface TrafficCount {
  packets: number;
  bytes: number;
  dropped: number;
}

export class NetworkInterface {
  readonly name: string;
  readonly index: number;
  readonly kind: "loopback" | "ethernet" | "tunnel";
  readonly mac: MacAddress;
  readonly tunnel: TunnelEnd | undefined;
  readonly received: TrafficCount = { packets: 0, bytes: 0, dropped: 0 };
  readonly sent: TrafficCount = { packets: 0, bytes: 0, dropped: 0 };
  /** In the kernel's order, IPv4's and IPv6's each in theirs. */
  readonly addresses: InterfaceAddress[] = [];
  mtu: number;
  isUp = false;
  cable: Cable | undefined;

  constructor(about: {
    readonly name: string;
    readonly index: number;
    readonly kind: NetworkInterface["kind"];
    readonly mac: MacAddress;
    readonly mtu: number;
    readonly tunnel?: TunnelEnd;
  }) {
    this.name = about.name;
    this.index = about.index;
    this.kind = about.kind;
    this.mac = about.mac;
    this.mtu = about.mtu;
    this.tunnel = about.tunnel;
  }

  get inet(): readonly InterfaceAddress[] {
    return this.addresses.filter(({ address }) => address.family === "inet");
  }

  get inet6(): readonly InterfaceAddress[] {
    return this.addresses.filter(({ address }) => address.family === "inet6");
  }

  has(address: Address): boolean {
    return this.addresses.some((each) => each.address.equals(address));
  }

  /** inet_addr_onlink(): one of its networks holds both. */
  isOnLink(one: Address, other: Address | undefined): boolean {
    return this.addresses.some(
      (each) => isInNetworkOf(one, each) && (other === undefined || isInNetworkOf(other, each)),
    );
  }
}

/** inet_ifa_match(). */
export function isInNetworkOf(
  address: Address,
  { address: own, prefixLength }: InterfaceAddress,
): boolean {
  return prefixContains({ address: own, length: prefixLength }, address);
}
