/**
 * Which packets are taken away from the host's own stack, because a service's director decides about them.
 *
 * Two kinds: to a service's address, protocol and port (any port for port 0), and from a masqueraded server's, whose
 * replies the host would forward untranslated. The nftables sets and the engine's own test are made of the same rules,
 * so that what was taken and then passed can be given back, and nothing else.
 */
import type { DesiredState } from "../../ipvs/desired-state.ts";
import type { Packet } from "../../ipvs/packet.ts";
import type { Protocol } from "../../ipvs/service.ts";
import type { Address } from "../../net/address.ts";

/** The elements of nftables' sets, as text. */
export interface GuardSets {
  /** `address . protocol . port`, where packets go to. */
  readonly to: ReadonlySet<string>;
  /** `address . protocol`, for services of any port. */
  readonly toAnyPort: ReadonlySet<string>;
  /** `address . protocol . port`, where packets come from. */
  readonly from: ReadonlySet<string>;
}

const PROTOCOL_NAME: Readonly<Record<number, Protocol>> = { 6: "tcp", 17: "udp", 132: "sctp" };

export class GuardRules {
  /** By family: one nftables set holds one type of address. */
  readonly inet: GuardSets;
  readonly inet6: GuardSets;

  constructor(desired: DesiredState) {
    const sets = { inet: emptySets(), inet6: emptySets() };
    for (const { key, destinations } of desired.services.values()) {
      // A firewall mark is set by netfilter itself, which this engine cannot see: nothing is taken for it.
      if (key.kind === "mark") continue;
      const { protocol, endpoint } = key;
      const own = sets[endpoint.address.family];
      if (endpoint.port === 0) own.toAnyPort.add(`${endpoint.address} . ${protocol}`);
      else own.to.add(element(endpoint.address, protocol, endpoint.port));
      for (const { endpoint: server, forwarding } of destinations) {
        if (forwarding.kind !== "masquerade" || server.port === 0) continue;
        sets[server.address.family].from.add(element(server.address, protocol, server.port));
      }
    }
    this.inet = sets.inet;
    this.inet6 = sets.inet6;
  }

  get isEmpty(): boolean {
    return [this.inet, this.inet6].every(
      ({ to, toAnyPort, from }) => to.size + toAnyPort.size + from.size === 0,
    );
  }

  /** Whether the host's stack did not get this packet. */
  takes(packet: Packet): boolean {
    const protocol = PROTOCOL_NAME[packet.protocol];
    if (protocol === undefined) return false;
    const { to, toAnyPort, from } = packet.family === 4 ? this.inet : this.inet6;
    const { destination, destinationPort, source, sourcePort } = packet;
    return (
      to.has(element(destination, protocol, destinationPort)) ||
      (toAnyPort.size > 0 && toAnyPort.has(`${destination} . ${protocol}`)) ||
      from.has(element(source, protocol, sourcePort))
    );
  }
}

function element(address: Address, protocol: Protocol, port: number): string {
  return `${address} . ${protocol} . ${port}`;
}

function emptySets() {
  return { to: new Set<string>(), toAnyPort: new Set<string>(), from: new Set<string>() };
}
