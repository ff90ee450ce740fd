/** Which packets the director takes and the host's own stack must not see, as values. */

import type { DesiredState } from "../../ipvs/desired-state.ts";
import type { Packet } from "../../ipvs/packet.ts";
import type { Endpoint } from "../../ipvs/service.ts";
import type { Address } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { ANY_PORT, type Port } from "../../net/port.ts";

/** The protocols that services have, and ICMP, which speaks of their connections. */
type GuardProtocol = "tcp" | "udp" | "sctp" | "icmp" | "icmpv6";

/** One end of conversations; without a port, all of that protocol. */
export interface GuardEndpoint {
  readonly protocol: GuardProtocol;
  readonly address: Address;
  readonly port: Port | undefined;
}

export interface GuardRules {
  /** What is sent to these. */
  readonly services: readonly GuardEndpoint[];
  /** What these send through this host, and not to it: replies of masqueraded servers. */
  readonly replies: readonly GuardEndpoint[];
  /** Packets that come in by these (the host lane's) are left alone. */
  readonly exemptInterfaces: readonly string[];
}

export const NO_RULES: GuardRules = { services: [], replies: [], exemptInterfaces: [] };

/**
 * The rules of a desired state: its services, and the servers whose replies the host would forward untranslated. A
 * firewall mark is set by netfilter itself, which this engine cannot see: nothing is taken for it.
 */
export function guardRulesFor(
  { services: plans }: DesiredState,
  exemptInterfaces: readonly string[],
): GuardRules {
  const services: GuardEndpoint[] = [];
  const replies: GuardEndpoint[] = [];
  for (const { key, destinations } of plans.values()) {
    if (key.kind === "mark") continue;
    const { protocol } = key;
    services.push({ protocol, ...withAnyPort(key.endpoint) });
    for (const { endpoint, forwarding } of destinations) {
      if (forwarding.kind === "masquerade") replies.push({ protocol, ...withAnyPort(endpoint) });
    }
  }
  return { services, replies, exemptInterfaces };
}

/** Of one of these is every packet that the rules take. */
export function addressesIn({ services, replies }: GuardRules): Address[] {
  return [...services, ...replies].map(({ address }) => address);
}

function withAnyPort({ address, port }: Endpoint): Omit<GuardEndpoint, "protocol"> {
  return { address, port: port === ANY_PORT ? undefined : port };
}

const NUMBERS: Readonly<Record<GuardProtocol, number>> = {
  tcp: IP_PROTOCOL.tcp,
  udp: IP_PROTOCOL.udp,
  sctp: IP_PROTOCOL.sctp,
  icmp: IP_PROTOCOL.icmp,
  icmpv6: IP_PROTOCOL.icmpv6,
};

/** No port has this number. */
const ANY = -1;

/** The same rules for the packet path: was this packet taken away from the host? Lookups allocate nothing. */
export class GuardMatcher {
  readonly #services: EndpointSet;
  readonly #replies: EndpointSet;

  constructor(rules: GuardRules) {
    this.#services = new EndpointSet(rules.services);
    this.#replies = new EndpointSet(rules.replies);
  }

  /**
   * For a unicast packet of an Ethernet interface that is not exempt. `isForHost`: its destination is an address of the
   * host; it is only asked when that matters.
   */
  takes(packet: Packet, isForHost: (packet: Packet) => boolean): boolean {
    const { protocol, isFragment } = packet;
    const { destination0, destination1, destination2, destination3, destinationPort } = packet;
    const to = this.#services;
    // prettier-ignore
    if (
      isFragment
        ? to.hasAddress(destination0, destination1, destination2, destination3, protocol)
        : to.has(destination0, destination1, destination2, destination3, protocol, destinationPort)
    )
      return true;
    const { source0, source1, source2, source3, sourcePort } = packet;
    const from = this.#replies;
    const isReply = isFragment
      ? from.hasAddress(source0, source1, source2, source3, protocol)
      : from.has(source0, source1, source2, source3, protocol, sourcePort);
    return isReply && !isForHost(packet);
  }
}

interface Member {
  readonly address: Address;
  readonly protocol: number;
  /** ANY, or a port. */
  readonly ports: Set<number>;
}

class EndpointSet {
  readonly #chains = new Map<number, Member[]>();

  constructor(endpoints: readonly GuardEndpoint[]) {
    for (const { address, protocol, port } of endpoints) {
      const { w0, w1, w2, w3 } = address;
      const number = NUMBERS[protocol];
      const member = this.#member(w0, w1, w2, w3, number) ?? this.#add(address, number);
      member.ports.add(port ?? ANY);
    }
  }

  has(w0: number, w1: number, w2: number, w3: number, protocol: number, port: number): boolean {
    const member = this.#member(w0, w1, w2, w3, protocol);
    return member !== undefined && (member.ports.has(port) || member.ports.has(ANY));
  }

  /** With some port. */
  hasAddress(w0: number, w1: number, w2: number, w3: number, protocol: number): boolean {
    return this.#member(w0, w1, w2, w3, protocol) !== undefined;
  }

  #add(address: Address, protocol: number): Member {
    const member = { address, protocol, ports: new Set<number>() };
    const key = keyOf(address.w0, address.w1, address.w2, address.w3, protocol);
    const chain = this.#chains.get(key);
    if (chain === undefined) this.#chains.set(key, [member]);
    else chain.push(member);
    return member;
  }

  #member(w0: number, w1: number, w2: number, w3: number, protocol: number): Member | undefined {
    const chain = this.#chains.get(keyOf(w0, w1, w2, w3, protocol));
    if (chain === undefined) return undefined;
    for (const member of chain) {
      const { address } = member;
      const isSame =
        address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.w0 === w0;
      if (isSame && member.protocol === protocol) return member;
    }
    return undefined;
  }
}

function keyOf(w0: number, w1: number, w2: number, w3: number, protocol: number): number {
  let key = Math.imul(w0, 0x9e3779b1) ^ w1;
  key = Math.imul(key, 0x9e3779b1) ^ w2;
  key = Math.imul(key, 0x9e3779b1) ^ w3;
  return key ^ Math.imul(protocol, 0x85ebca6b);
}
