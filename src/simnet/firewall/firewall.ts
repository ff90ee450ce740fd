/** A host's packet filter: chains of rules as iptables writes them, and what becomes of a packet in one. */

import type { Clock } from "../../base/clock.ts";
import type { Address } from "../../net/address.ts";
import { IcmpView } from "../../net/icmp.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { PortsView } from "../../net/ports.ts";
import { type Prefix, prefixContains } from "../../net/prefix.ts";
import { type Datagram, datagramOf } from "../ip/datagram.ts";
import { ConnectionTracking, type TrackedState } from "./connection-tracking.ts";

export type ChainName = "PREROUTING" | "INPUT" | "FORWARD" | "OUTPUT";

export interface Matches {
  readonly protocol?: number | undefined;
  readonly source?: Prefix | undefined;
  readonly destination?: Prefix | undefined;
  readonly sourcePort?: number | undefined;
  readonly destinationPort?: number | undefined;
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly icmp?: { readonly type: number; readonly code: number | undefined } | undefined;
  readonly states?: readonly TrackedState[] | undefined;
}

export type Target =
  | { readonly kind: "ACCEPT" | "DROP" | "REJECT" }
  | { readonly kind: "MARK"; readonly mark: number };

export interface Rule {
  readonly table: string;
  readonly chain: ChainName;
  readonly matches: Matches;
  readonly target: Target;
  /** As it was written, for who lists it and who takes it away. */
  readonly text: string;
}

/** On which interfaces a packet is. */
export interface Passage {
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly mark: number;
}

export type Verdict =
  | { readonly kind: "accept"; readonly mark: number }
  | { readonly kind: "drop" };

export class Firewall {
  readonly tracking: ConnectionTracking;
  #rules: Rule[] = [];
  readonly #policies = new Map<string, "ACCEPT" | "DROP">();

  constructor(clock: Clock, isLoose: () => boolean) {
    this.tracking = new ConnectionTracking(clock, isLoose);
  }

  get rules(): readonly Rule[] {
    return this.#rules;
  }

  policy(table: string, chain: ChainName): "ACCEPT" | "DROP" {
    return this.#policies.get(`${table} ${chain}`) ?? "ACCEPT";
  }

  setPolicy(table: string, chain: ChainName, policy: "ACCEPT" | "DROP"): undefined {
    this.#policies.set(`${table} ${chain}`, policy);
  }

  add(rule: Rule, isFirst: boolean): undefined {
    if (isFirst) this.#rules.unshift(rule);
    else this.#rules.push(rule);
    if (rule.matches.states !== undefined) this.tracking.isOn = true;
  }

  remove(isMeant: (rule: Rule) => boolean): boolean {
    const found = this.#rules.find(isMeant);
    this.#rules = this.#rules.filter((rule) => rule !== found);
    return found !== undefined;
  }

  flush(isMeant: (rule: Rule) => boolean): undefined {
    this.#rules = this.#rules.filter((rule) => !isMeant(rule));
  }

  /** Connection tracking looks at a packet once, where it comes in or is made. */
  track(bytes: Uint8Array): undefined {
    const packet = this.tracking.isOn ? datagramOf(bytes) : undefined;
    if (packet !== undefined) this.tracking.see(packet);
  }

  /** What becomes of a packet in a chain: the first rule that fits decides, a mark and on it goes. */
  pass(chain: ChainName, bytes: Uint8Array, { input, output, mark }: Passage): Verdict {
    let marked = mark;
    const isQuiet = this.#rules.length === 0 && this.#policies.size === 0;
    const packet = isQuiet ? undefined : datagramOf(bytes);
    if (packet === undefined) return { kind: "accept", mark };
    for (const { chain: own, matches, target } of this.#rules) {
      if (own !== chain || !this.#fits(packet, matches, input, output)) continue;
      if (target.kind === "MARK") marked = target.mark;
      else if (target.kind === "ACCEPT") return { kind: "accept", mark: marked };
      else return { kind: "drop" };
    }
    if (this.policy("filter", chain) === "DROP") return { kind: "drop" };
    return { kind: "accept", mark: marked };
  }

  #fits(
    packet: Datagram,
    matches: Matches,
    input: string | undefined,
    output: string | undefined,
  ): boolean {
    const { protocol, source, destination, states, icmp } = matches;
    return (
      (protocol === undefined || packet.protocol === protocol) &&
      isWithin(source, packet.source) &&
      isWithin(destination, packet.destination) &&
      (matches.input === undefined || matches.input === input) &&
      (matches.output === undefined || matches.output === output) &&
      hasPorts(packet, matches) &&
      (icmp === undefined || isIcmp(packet, icmp)) &&
      (states === undefined || states.includes(this.tracking.stateOf(packet)))
    );
  }
}

function isWithin(prefix: Prefix | undefined, address: Address): boolean {
  return prefix === undefined || prefixContains(prefix, address);
}

function hasPorts(packet: Datagram, { sourcePort, destinationPort }: Matches): boolean {
  if (sourcePort === undefined && destinationPort === undefined) return true;
  const ports = PortsView.over(packet.payload);
  if (typeof ports === "string") return false;
  return (
    (sourcePort === undefined || ports.source === sourcePort) &&
    (destinationPort === undefined || ports.destination === destinationPort)
  );
}

function isIcmp(
  { protocol, payload }: Datagram,
  { type, code }: NonNullable<Matches["icmp"]>,
): boolean {
  const icmp = protocol === IP_PROTOCOL.icmp ? IcmpView.over(payload) : "truncated";
  return (
    typeof icmp !== "string" && icmp.type === type && (code === undefined || icmp.code === code)
  );
}
