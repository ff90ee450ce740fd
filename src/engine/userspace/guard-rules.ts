/** Which packets the director takes and the host's own stack must not see, as values. */

import type { Packet } from "../../ipvs/packet.ts";
import type { Protocol } from "../../ipvs/service.ts";
import type { Address, Family } from "../../net/address.ts";
import { ICMP_TYPE } from "../../net/icmp.ts";
import { ICMPV6_TYPE } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Port } from "../../net/port.ts";

/** One end of conversations; without a port, all of that protocol. */
export interface GuardEndpoint {
  readonly protocol: Protocol;
  readonly address: Address;
  readonly port: Port | undefined;
}

export interface GuardRules {
  /** What is sent to these. */
  readonly services: readonly GuardEndpoint[];
  /** What these send through this host, and not to it: replies of masqueraded servers, and ICMP errors of theirs. */
  readonly replies: readonly GuardEndpoint[];
  /** Packets that come in by these (the host lane's) are left alone. */
  readonly exemptInterfaces: readonly string[];
}

export const NO_RULES: GuardRules = {
  services: [],
  replies: [],
  exemptInterfaces: [],
};

/** Of one of these is every packet that the rules take, or it is ICMP. */
export function addressesIn({ services, replies }: GuardRules): Address[] {
  return [...services, ...replies].map(({ address }) => address);
}

/** Types of the ICMP messages that quote a packet, and so are about a conversation. */
export const ICMP_ERRORS = {
  inet: [
    ICMP_TYPE.destinationUnreachable,
    ICMP_TYPE.sourceQuench,
    ICMP_TYPE.timeExceeded,
    ICMP_TYPE.parameterProblem,
  ],
  inet6: [
    ICMPV6_TYPE.destinationUnreachable,
    ICMPV6_TYPE.packetTooBig,
    ICMPV6_TYPE.timeExceeded,
    ICMPV6_TYPE.parameterProblem,
  ],
} as const satisfies Record<Family, readonly number[]>;

const NUMBERS: Readonly<Record<Protocol, number>> = {
  tcp: IP_PROTOCOL.tcp,
  udp: IP_PROTOCOL.udp,
  sctp: IP_PROTOCOL.sctp,
};

/** Of a server's ICMP errors it does not matter which conversation they are about. */
const ANY_PROTOCOL = 0;

/** No port has this number. */
const ANY = -1;

/** The same rules for the packet path: was this packet taken away from the host? Lookups allocate nothing. */
export class GuardMatcher {
  readonly #services: EndpointSet;
  readonly #replies: EndpointSet;
  readonly #servers = new EndpointSet([]);

  constructor(rules: GuardRules) {
    this.#services = new EndpointSet(rules.services);
    this.#replies = new EndpointSet(rules.replies);
    for (const { address } of rules.replies) this.#servers.add(address, ANY_PROTOCOL, ANY);
  }

  /**
   * For a unicast packet of an Ethernet interface that is not exempt. `isForHost`: its destination is an address of the
   * host; it is only asked when that matters. `isFragment`: it is one, or came as some.
   */
  takes(
    packet: Packet,
    isForHost: (packet: Packet) => boolean,
    isFragment = packet.isFragment,
  ): boolean {
    const { protocol } = packet;
    if (protocol === IP_PROTOCOL.icmp || protocol === IP_PROTOCOL.icmpv6) {
      return !isFragment && this.#takesIcmp(packet) && !isForHost(packet);
    }
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

  #takesIcmp(packet: Packet): boolean {
    const { family, bytes, transport, source0, source1, source2, source3 } = packet;
    const errors: readonly number[] = ICMP_ERRORS[family === 4 ? "inet" : "inet6"];
    return (
      errors.includes(bytes[transport]!) &&
      this.#servers.hasAddress(source0, source1, source2, source3, ANY_PROTOCOL)
    );
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
      this.add(address, NUMBERS[protocol], port ?? ANY);
    }
  }

  add(address: Address, protocol: number, port: number): void {
    const { w0, w1, w2, w3 } = address;
    const member = this.#member(w0, w1, w2, w3, protocol) ?? this.#add(address, protocol);
    member.ports.add(port);
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
