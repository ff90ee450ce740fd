/**
 * Which packets are taken away from the host's own stack, because a service's director decides about them.
 *
 * To a service's address, protocol and port; and from a masqueraded server's, whose replies the host would forward
 * untranslated. Of fragments only the first shows ports, and ICMP errors show them in what they quote: those are taken
 * by address alone. The nftables sets and the engine's own test are made of the same rules, so that what was taken and
 * then passed can be given back, and nothing else.
 */
import { type DesiredState, EMPTY_STATE } from "../../ipvs/desired-state.ts";
import type { Destination } from "../../ipvs/destination.ts";
import type { Packet } from "../../ipvs/packet.ts";
import type { Endpoint, Protocol, ServicePlan } from "../../ipvs/service.ts";
import type { Address, Family } from "../../net/address.ts";
import { ICMP_TYPE } from "../../net/icmp.ts";
import { ICMPV6_TYPE } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";

/** The nftables sets of a family. Their elements are text, as nft reads it. */
export const GUARD_SETS = [
  /** `address . protocol . port`, where packets go to. */
  "to",
  /** `address . protocol`, for services of any port. */
  "toAnyPort",
  /** `address . protocol . port`, where packets come from. */
  "from",
  "fromAnyPort",
  /** Services' addresses: fragments to them. */
  "services",
  /** Masqueraded servers' addresses: fragments and ICMP errors from them. */
  "servers",
] as const;

export type GuardSetName = (typeof GUARD_SETS)[number];
export type GuardSets = Readonly<Record<GuardSetName, ReadonlySet<string>>>;

/** Types of the ICMP messages that quote a packet. */
export const ICMP_ERRORS: Readonly<Record<Family, readonly number[]>> = {
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
};

const FTP_PORT = 21;
const PROTOCOL_NAME: Readonly<Record<number, Protocol>> = { 6: "tcp", 17: "udp", 132: "sctp" };

export class GuardRules {
  /** By family: one nftables set holds one type of address. */
  readonly inet: GuardSets;
  readonly inet6: GuardSets;

  private constructor(make: (family: Family, name: GuardSetName) => ReadonlySet<string>) {
    const setsOf = (family: Family) =>
      Object.fromEntries(GUARD_SETS.map((name) => [name, make(family, name)])) as GuardSets;
    this.inet = setsOf("inet");
    this.inet6 = setsOf("inet6");
  }

  /** What these services need. */
  static for({ services }: DesiredState): GuardRules {
    const collector = new Collector();
    for (const plan of services.values()) {
      const servers = plan.destinations
        .filter(({ forwarding }) => forwarding.kind === "masquerade")
        .map(({ endpoint }) => endpoint);
      collector.add(plan, servers);
    }
    return new GuardRules((family, name) => collector[family][name]);
  }

  /** What connections to these destinations need, if they are masqueraded: a connection keeps its method. */
  static forConnectionsTo(destinations: Iterable<Destination>): GuardRules {
    const collector = new Collector();
    for (const { service, plan } of destinations) collector.add(service.plan, [plan.endpoint]);
    return new GuardRules((family, name) => collector[family][name]);
  }

  union(other: GuardRules): GuardRules {
    return new GuardRules(
      (family, name) => new Set([...this[family][name], ...other[family][name]]),
    );
  }

  intersection(other: GuardRules): GuardRules {
    return new GuardRules((family, name) => {
      const theirs = other[family][name];
      return new Set([...this[family][name]].filter((each) => theirs.has(each)));
    });
  }

  equals(other: GuardRules): boolean {
    return (["inet", "inet6"] as const).every((family) =>
      GUARD_SETS.every((name) => {
        const [ours, theirs] = [this[family][name], other[family][name]];
        return ours.size === theirs.size && [...ours].every((each) => theirs.has(each));
      }),
    );
  }

  /** Whether the host's stack did not get this packet. `isInPieces`: it came as fragments. */
  takes(packet: Packet, isInPieces: boolean): boolean {
    const family = packet.family === 4 ? "inet" : "inet6";
    const sets = this[family];
    const { source, destination, protocol } = packet;
    if (isInPieces) return sets.services.has(`${destination}`) || sets.servers.has(`${source}`);
    if (protocol === IP_PROTOCOL.icmp || protocol === IP_PROTOCOL.icmpv6) {
      const type = packet.bytes[packet.transport]!;
      return ICMP_ERRORS[family].includes(type) && sets.servers.has(`${source}`);
    }
    const name = PROTOCOL_NAME[protocol];
    if (name === undefined) return false;
    return (
      sets.to.has(`${destination} . ${name} . ${packet.destinationPort}`) ||
      sets.toAnyPort.has(`${destination} . ${name}`) ||
      sets.from.has(`${source} . ${name} . ${packet.sourcePort}`) ||
      sets.fromAnyPort.has(`${source} . ${name}`)
    );
  }
}

/** Fills the sets, service by service. */
class Collector {
  readonly inet = emptySets();
  readonly inet6 = emptySets();

  add({ key, persistence }: ServicePlan, servers: readonly Endpoint[]): void {
    // A firewall mark is set by netfilter itself, which this engine cannot see: nothing is taken for it.
    if (key.kind === "mark") return;
    const { protocol, endpoint } = key;
    // The data connections of a persistent FTP service come to any port, too.
    const isAnyPort = endpoint.port === 0 || (endpoint.port === FTP_PORT && persistence);
    const own = this[endpoint.address.family];
    own.services.add(`${endpoint.address}`);
    if (isAnyPort) own.toAnyPort.add(portless(endpoint.address, protocol));
    else own.to.add(element(endpoint, protocol));
    for (const server of servers) {
      const theirs = this[server.address.family];
      theirs.servers.add(`${server.address}`);
      if (isAnyPort) theirs.fromAnyPort.add(portless(server.address, protocol));
      else theirs.from.add(element({ ...server, port: server.port || endpoint.port }, protocol));
    }
  }
}

function element({ address, port }: Endpoint, protocol: Protocol): string {
  return `${address} . ${protocol} . ${port}`;
}

function portless(address: Address, protocol: Protocol): string {
  return `${address} . ${protocol}`;
}

function emptySets(): Record<GuardSetName, Set<string>> {
  return {
    to: new Set(),
    toAnyPort: new Set(),
    from: new Set(),
    fromAnyPort: new Set(),
    services: new Set(),
    servers: new Set(),
  };
}

/** Nothing is taken. */
export const NO_RULES = GuardRules.for(EMPTY_STATE);
