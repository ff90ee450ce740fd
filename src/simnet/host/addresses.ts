/**
 * Puts addresses on interfaces and takes them away, with the routes that come and go with them: net/ipv4/devinet.c,
 * fib_frontend.c, net/ipv6/addrconf.c.
 */
import { ADDRESS_LENGTH, Address, type Family } from "../../net/address.ts";
import type { Host } from "./host.ts";
import {
  type InterfaceAddress,
  isInNetworkOf,
  type NetworkInterface,
  SCOPE,
  type ScopeName,
} from "./interface.ts";
import type { RouteEntry } from "./route.ts";

export interface WantedAddress {
  readonly address: Address;
  readonly prefixLength: number;
  readonly label?: string | undefined;
  readonly scope?: ScopeName | undefined;
  readonly broadcast?: Address | undefined;
  readonly isDeprecated?: boolean | undefined;
}

const INET6_LINK_LOCAL = Address.parse("fe80::")!;
const INET6_MULTICAST = { address: Address.parse("ff00::")!, length: 8 };
const INET6_METRIC = 256;

export class Addresses {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Why it cannot be, in the kernel's words; undefined when it is done. */
  add(card: NetworkInterface, wanted: WantedAddress): string | undefined {
    if (card.has(wanted.address)) return "File exists";
    const made = this.#make(card, wanted);
    // __inet_insert_ifa(): all addresses of a network reach equally far.
    const differs = card.inet.some(
      (each) =>
        !each.isSecondary &&
        each.prefixLength === made.prefixLength &&
        isInNetworkOf(made.address, each) &&
        each.scope !== made.scope,
    );
    if (differs && made.address.family === "inet") return "Invalid scope value";
    insert(card, made);
    this.#tell(`${describe(made)} on ${made.label}`);
    if (card.isUp) {
      this.#addRoutes(card, made);
      if (this.#host.settings.greater("arp_notify", card.name) !== 0) this.#announce(card, made);
    }
    return undefined;
  }

  /** What may change of an address that is there. False when it is not. */
  change(card: NetworkInterface, address: Address, isDeprecated: boolean): boolean {
    const at = card.addresses.findIndex((each) => each.address.equals(address));
    const known = card.addresses[at];
    if (known === undefined) return false;
    card.addresses[at] = { ...known, isDeprecated };
    this.#host.routes.generation++;
    return true;
  }

  /** False when the interface does not have it. */
  remove(card: NetworkInterface, isMeant: (address: InterfaceAddress) => boolean): boolean {
    const [gone] = card.addresses.filter(isMeant);
    if (gone === undefined) return false;
    // A primary address takes those with it that were added to its network (__inet_del_ifa() without promotion).
    const withIt =
      gone.isSecondary || gone.address.family === "inet6"
        ? []
        : card.inet.filter((each) => each.isSecondary && isInNetworkOf(each.address, gone));
    for (const each of [...withIt, gone]) {
      card.addresses.splice(card.addresses.indexOf(each), 1);
      this.#host.routes.remove((route) => isOf(route, card, each));
      this.#tell(`${describe(each)} gone from ${each.label}`);
      // Another interface may have it, too: what is local stays so (fib_del_ifaddr()).
      for (const other of this.#host.interfaces) {
        if (!other.isUp || other === card) continue;
        for (const same of other.addresses) {
          if (same.address.equals(each.address)) this.#addRoutes(other, same);
        }
      }
    }
    return true;
  }

  up(card: NetworkInterface): undefined {
    if (card.isUp) return;
    card.isUp = true;
    this.#tell(`${card.name} is up`);
    if (card.kind === "ethernet" && !this.#isWithout(card)) this.#addLinkLocal(card);
    for (const each of card.addresses) this.#addRoutes(card, each);
    if (card.kind === "ethernet" && !this.#isWithout(card)) this.#addMulticastRoute(card);
  }

  down(card: NetworkInterface): undefined {
    if (!card.isUp) return;
    card.isUp = false;
    this.#host.routes.remove((route) => route.interface === card);
    // IPv6's addresses go with the link, IPv4's stay (addrconf_ifdown(), fib_disable_ip()).
    for (const { address } of card.inet6) {
      card.addresses.splice(
        card.addresses.findIndex((each) => each.address === address),
        1,
      );
    }
    this.#host.neighbours.forgetInterface(card);
    this.#tell(`${card.name} is down`);
  }

  #isWithout(card: NetworkInterface): boolean {
    return this.#host.settings.own6("disable_ipv6", card.name) !== 0;
  }

  #make(card: NetworkInterface, wanted: WantedAddress): InterfaceAddress {
    const { address, prefixLength } = wanted;
    const isPrimaryNetworks = card.inet.some(
      (each) =>
        !each.isSecondary && each.prefixLength === prefixLength && isInNetworkOf(address, each),
    );
    const usual = address.isLoopback
      ? "host"
      : address.family === "inet6" && address.isLinkLocal
        ? "link"
        : "global";
    return {
      address,
      prefixLength,
      label: wanted.label ?? card.name,
      scope: wanted.scope ?? usual,
      broadcast: wanted.broadcast,
      isDeprecated: wanted.isDeprecated ?? false,
      isSecondary: address.family === "inet" && isPrimaryNetworks,
    };
  }

  /** fib_add_ifaddr(): the address itself is local, its network is on the link, or local, too, where that is lo. */
  #addRoutes(
    card: NetworkInterface,
    { address, prefixLength, ...about }: InterfaceAddress,
  ): undefined {
    const { routes } = this.#host;
    const { family } = address;
    const bits = ADDRESS_LENGTH[family] * 8;
    const of = (route: Partial<RouteEntry> & Pick<RouteEntry, "type" | "prefix">): void => {
      const made: RouteEntry = {
        table: "local",
        interface: card,
        gateway: undefined,
        source: undefined,
        scope: "host",
        protocol: "kernel",
        metric: 0,
        mtu: undefined,
        ...route,
      };
      if (!routes.entries.some((each) => isSame(each, made))) routes.add(made);
    };
    if (family === "inet6") {
      of({ type: "local", prefix: { address, length: bits } });
      if (prefixLength < bits || card.kind !== "loopback") {
        const prefix = { address: address.masked(prefixLength), length: prefixLength };
        of({ type: "unicast", table: "main", prefix, scope: "global", metric: INET6_METRIC });
      }
      return;
    }
    const primary = about.isSecondary
      ? card.inet.find((each) => !each.isSecondary && isInNetworkOf(address, each))
      : undefined;
    const source = primary?.address ?? address;
    of({ type: "local", prefix: { address, length: bits }, source });
    const addBroadcast = (to: Address | undefined): void => {
      if (to === undefined) return;
      of({ type: "broadcast", prefix: { address: to, length: bits }, source, scope: "link" });
    };
    addBroadcast(about.broadcast);
    const prefix = { address: address.masked(prefixLength), length: prefixLength };
    const isWhole = address.equals(prefix.address) && prefixLength === bits;
    if (about.isSecondary || isWhole || prefix.address.w3 >>> 24 === 0) return;
    if (card.kind === "loopback") of({ type: "local", prefix, source });
    else of({ type: "unicast", table: "main", prefix, source, scope: "link" });
    addBroadcast(broadcastOf(address, prefixLength));
  }

  #addLinkLocal(card: NetworkInterface): undefined {
    const [a, b, c, d, e, f] = card.mac.split(":").map((pair) => Number.parseInt(pair, 16)) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    // RFC 4291 appendix A.
    const high = ((a ^ 2) << 24) | (b << 16) | (c << 8) | 0xff;
    const low = 0xfe000000 | (d << 16) | (e << 8) | f;
    const address = Address.inet6(INET6_LINK_LOCAL.w0, 0, high, low);
    if (card.has(address)) return;
    insert(card, this.#make(card, { address, prefixLength: 64 }));
  }

  #addMulticastRoute(card: NetworkInterface): undefined {
    this.#host.routes.add({
      table: "local",
      type: "multicast",
      prefix: INET6_MULTICAST,
      interface: card,
      gateway: undefined,
      source: undefined,
      scope: "global",
      protocol: "kernel",
      metric: INET6_METRIC,
      mtu: undefined,
    });
  }

  /** arp_notify. */
  #announce(card: NetworkInterface, { address }: InterfaceAddress): undefined {
    if (address.family === "inet") this.#host.arp.announce(card, address);
  }

  #tell(change: string): undefined {
    this.#host.tellChange("addresses", change);
  }
}

/** __inet_insert_ifa(): a primary address stands before those that are nearer and before secondary ones. */
function insert(card: NetworkInterface, made: InterfaceAddress): undefined {
  const { addresses } = card;
  if (made.isSecondary || made.address.family === "inet6") {
    addresses.push(made);
    return;
  }
  let at = 0;
  for (const [index, each] of addresses.entries()) {
    const isBefore =
      each.address.family === "inet" && !each.isSecondary && SCOPE[made.scope] <= SCOPE[each.scope];
    if (isBefore) at = index + 1;
  }
  addresses.splice(at, 0, made);
}

/** The last address of a network, which is all of its hosts; the smallest have none. */
export function broadcastOf(address: Address, prefixLength: number): Address | undefined {
  if (address.family === "inet6" || prefixLength > 30) return undefined;
  return Address.inet(prefixLength === 0 ? -1 : address.w3 | (0xffffffff >>> prefixLength));
}

function isOf(route: RouteEntry, card: NetworkInterface, gone: InterfaceAddress): boolean {
  if (route.interface !== card || route.prefix.address.family !== gone.address.family) return false;
  if (route.source?.equals(gone.address)) return true;
  if (route.protocol !== "kernel") return false;
  const { address, length } = route.prefix;
  if (route.type === "local" && address.equals(gone.address)) return true;
  return (
    gone.address.family === "inet6" &&
    length === gone.prefixLength &&
    address.equals(gone.address.masked(length)) &&
    !card.addresses.some((each) => isInNetworkOf(each.address, gone))
  );
}

function isSame(one: RouteEntry, other: RouteEntry): boolean {
  return (
    one.table === other.table &&
    one.type === other.type &&
    one.interface === other.interface &&
    one.prefix.length === other.prefix.length &&
    one.prefix.address.equals(other.prefix.address)
  );
}

function describe({ address, prefixLength }: InterfaceAddress): string {
  return `${address}/${prefixLength}`;
}

export function bitsOf(family: Family): number {
  return ADDRESS_LENGTH[family] * 8;
}

/** The mask of so many bits: 255.255.255.0. */
export function netmask(prefixLength: number): Address {
  return Address.inet(prefixLength === 0 ? 0 : -1 << (32 - prefixLength));
}
