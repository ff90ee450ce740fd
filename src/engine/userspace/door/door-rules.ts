/** Which packets the director takes from the host's own stack, as values: all of them, or some that come or go. */
import type { PortRange } from "../../../ipvs/desired/port-range.ts";
import type { Mark, Protocol } from "../../../ipvs/desired/service.ts";
import type { Address, Family } from "../../../net/address.ts";
import { ICMP_TYPE } from "../../../net/icmp.ts";
import { ICMPV6_TYPE } from "../../../net/icmpv6.ts";
import type { Port } from "../../../net/port.ts";

/** One end of conversations; without a port, all of that protocol. */
export interface DoorEndpoint {
  readonly protocol: Protocol;
  readonly address: Address;
  readonly port: Port | undefined;
}

export interface DoorMark {
  readonly family: Family;
  readonly mark: Mark;
}

/** Ports whose packets are given a mark, if no service has their port alone. */
export interface DoorRange {
  readonly range: PortRange;
  readonly mark: Mark;
}

export interface DoorRules {
  /** What is sent to these. */
  readonly services: readonly DoorEndpoint[];
  /** What these send to the host or through it: masqueraded servers, and ICMP errors about their connections. */
  readonly replies: readonly DoorEndpoint[];
  /** What bears these marks of netfilter's, of the protocols that are balanced. */
  readonly marks: readonly DoorMark[];
  /** What is given marks. */
  readonly ranges: readonly DoorRange[];
  /** Those of `replies` that are addresses of the host itself. */
  readonly localReplies: readonly DoorEndpoint[];
  /** Those of `services` (TCP) that a process of the host itself answers, without NAT: their connections are seen whole. */
  readonly localDirect: readonly DoorEndpoint[];
}

export const NO_RULES: DoorRules = {
  services: [],
  replies: [],
  marks: [],
  ranges: [],
  localReplies: [],
  localDirect: [],
};

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
