/** The host's interfaces and addresses, as `ip` tells them. */
import { Address, type Family } from "../../net/address.ts";
import { type MacAddress, parseMac } from "../../net/mac-address.ts";
import { type Prefix, prefixContains } from "../../net/prefix.ts";
import { askJson } from "./command.ts";

export interface HostAddress extends Prefix {
  readonly scope: string;
  /** `eth0:2`, or the interface's own name. */
  readonly label: string;
}

export interface HostInterface {
  readonly index: number;
  readonly name: string;
  readonly isLoopback: boolean;
  readonly isTunnel: boolean;
  readonly isUp: boolean;
  readonly mtu: number;
  /** Undefined where there is no Ethernet. */
  readonly mac: MacAddress | undefined;
  readonly addresses: readonly HostAddress[];
}

/** As `ip -json` has it. */
interface Told {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags?: readonly string[];
  readonly mtu: number;
  readonly operstate?: string;
  readonly link_type?: string;
  readonly address?: string;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
    readonly scope?: string;
    readonly label?: string;
  }[];
}

/** Names of those that a module makes by itself, and of our own decapsulator's; others tell by their kind. */
const TUNNEL_NAMES = /^(tunl|gre|ip6tnl|ip6gre|sit|sluice-inner)/;
const TUNNEL_KINDS = new Set(["ipip", "gre", "gretap", "ip6tnl", "ip6gre", "sit"]);

/** Rejects when the host has no `ip`. */
export async function readInterfaces(): Promise<readonly HostInterface[]> {
  const told = (await askJson("ip", "-json", "-details", "address", "show")) as
    | readonly Told[]
    | undefined;
  if (told === undefined)
    throw new Error("'ip -json address show' tells nothing: is iproute2 here?");
  return told.map(interfaceOf);
}

function interfaceOf(told: Told): HostInterface {
  const { flags = [], operstate, linkinfo, addr_info: addresses = [] } = told;
  return {
    index: told.ifindex,
    name: told.ifname,
    isLoopback: flags.includes("LOOPBACK"),
    isTunnel: TUNNEL_NAMES.test(told.ifname) || TUNNEL_KINDS.has(linkinfo?.info_kind ?? ""),
    isUp: flags.includes("UP") && operstate !== "DOWN" && operstate !== "LOWERLAYERDOWN",
    mtu: told.mtu,
    mac: told.link_type === "ether" ? parseMac(told.address ?? "") : undefined,
    addresses: addresses.flatMap(({ local, prefixlen: length, scope = "", label }) => {
      const address = Address.parse(local ?? "");
      if (address === undefined || length === undefined) return [];
      return [{ address, length, scope, label: label ?? told.ifname }];
    }),
  };
}

/** Where an address is, with how it is there. */
export function* placesOf(
  interfaces: readonly HostInterface[],
  address: Address,
): Generator<{ readonly on: HostInterface; readonly as: HostAddress }> {
  for (const on of interfaces) {
    for (const as of on.addresses) if (as.address.equals(address)) yield { on, as };
  }
}

/** Ethernet, up, and not the way out of a tunnel: where neighbours are. */
export function cards(interfaces: readonly HostInterface[]): readonly HostInterface[] {
  return interfaces.filter(
    ({ isUp, isTunnel, isLoopback, mac }) => isUp && !isTunnel && !isLoopback && mac !== undefined,
  );
}

/** An address of a card's own to ask neighbours with: none of `others`, in the network of `target` where there is one. */
export function ownAddress(
  card: HostInterface,
  target: Address,
  others: readonly Address[],
): Address | undefined {
  const usable = card.addresses.filter(
    ({ address, scope }) =>
      address.family === target.family &&
      scope === "global" &&
      !others.some((other) => other.equals(address)),
  );
  const near = usable.find((one) => prefixContains(one, target));
  return (near ?? usable[0])?.address;
}

export function isOnLink(card: HostInterface, target: Address): boolean {
  return card.addresses.some(
    (one) =>
      one.address.family === target.family &&
      one.length < bitsOf(target.family) &&
      prefixContains(one, target),
  );
}

export function bitsOf(family: Family): number {
  return family === "inet" ? 32 : 128;
}
