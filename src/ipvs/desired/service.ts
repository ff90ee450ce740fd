/** What an operator configures: services and their destinations, as values that never change. */
import type { Branded } from "../../base/brand.ts";
import { unreachable } from "../../base/unreachable.ts";
import { Address, type Family } from "../../net/address.ts";
import type { Port } from "../../net/port.ts";
import type { SchedulerName } from "../schedulers/index.ts";
import type { ServiceHealth } from "./health.ts";
import type { PortRange } from "./port-range.ts";

export type Protocol = "tcp" | "udp" | "sctp";

/** A firewall mark, 1 to 2^32 - 1. */
export type Mark = Branded<number, "Mark">;

/** One address and port: where a service listens, or where a destination does. */
export interface Endpoint {
  readonly address: Address;
  readonly port: Port;
}

/** What makes a virtual service itself. Two services with equal keys cannot exist together. */
export type ServiceKey =
  | { readonly kind: "endpoint"; readonly protocol: Protocol; readonly endpoint: Endpoint }
  | { readonly kind: "mark"; readonly family: Family; readonly mark: Mark };

/** How the outer header of a tunnel treats checksums (ipvsadm's --tun-nocsum, --tun-csum, --tun-remcsum). */
export type TunnelChecksum = "none" | "full" | "remote";

/** How a packet reaches its destination. Only "masquerade" may change the port. */
export type Forwarding =
  | { readonly kind: "masquerade" }
  | { readonly kind: "route" }
  | { readonly kind: "tunnel"; readonly encapsulation: "ipip" }
  | {
      readonly kind: "tunnel";
      readonly encapsulation: "gre";
      readonly checksum: "none" | "full";
    }
  | {
      readonly kind: "tunnel";
      readonly encapsulation: "gue";
      readonly port: Port;
      readonly checksum: TunnelChecksum;
    };

/** New connections of one client (masked) stay on one destination. */
export interface Persistence {
  readonly timeoutSeconds: number;
  /** IPv4: the netmask's 32 bits as an unsigned number. IPv6: the prefix length. As the kernel keeps it. */
  readonly netmask: number;
}

/** What is to become of a server that gets no new connections. */
export interface Drain {
  /** When it began, in milliseconds since 1970. */
  readonly since: number;
  /** How long its connections may go on; undefined: until the last one has ended. */
  readonly timeoutSeconds: number | undefined;
  /** "remove-service": when none of its service is left, that goes, too. */
  readonly afterwards: "remove" | "remove-service" | "keep";
  /** "file": it is no longer wanted; should it be wanted again, the drain is taken back. */
  readonly cause: "operator" | "file";
  /** Whether the connections that remain at the end are ended. */
  readonly isForced: boolean;
  /** What it weighs when the drain is taken back. */
  readonly weight: number;
  /** It has ended, and the server was to stay. */
  readonly isOver: boolean;
}

/** A real server as configured. */
export interface DestinationPlan {
  readonly endpoint: Endpoint;
  readonly forwarding: Forwarding;
  readonly weight: number;
  /** Connections at which it is overloaded; 0 is no limit. */
  readonly upperThreshold: number;
  /** Connections below which it is no longer overloaded; 0 stands for three quarters of the upper. */
  readonly lowerThreshold: number;
  /** Undefined: it is not drained. While it is, its weight is 0. */
  readonly drain?: Drain | undefined;
  /** Counts this destination's edits: an edit resets scheduler state even when it changes no value. */
  readonly revision: number;
}

/** The flags that a scheduler may have, by the kernel's bit. sh and mh name theirs (sh-port is flag-2). */
export const SCHEDULER_FLAG = { fallback: 0x08, port: 0x10, third: 0x20 } as const;

/** A virtual service as configured. */
export interface ServicePlan {
  readonly key: ServiceKey;
  readonly scheduler: SchedulerName;
  /** A sum of SCHEDULER_FLAG's bits. */
  readonly schedulerFlags: number;
  /** Every datagram is scheduled by itself (-o). */
  readonly onePacket: boolean;
  readonly persistence: Persistence | undefined;
  /** May be set without persistence: then it is kept and saved, and does nothing, as in the kernel. */
  readonly persistenceEngine: "sip" | undefined;
  /** In the order in which they were added. Schedulers see the newest first. */
  readonly destinations: readonly DestinationPlan[];
  /** Counts this service's own edits. */
  readonly revision: number;
  /** What health checks do with its destinations; undefined: nothing. Engines are given what came of it. */
  readonly health?: ServiceHealth | undefined;
  /** Of a mark: what is given it, besides what netfilter's rules give it. */
  readonly range?: PortRange | undefined;
}

/** How long connections live without a packet, in seconds (ipvsadm --set). */
export interface Timeouts {
  readonly tcp: number;
  readonly tcpFin: number;
  readonly udp: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = { tcp: 900, tcpFin: 120, udp: 300 };

export function familyOf(key: ServiceKey): Family {
  return key.kind === "mark" ? key.family : key.endpoint.address.family;
}

/** `10.0.0.1:80`, `[2001:db8::1]:80`. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return address.family === "inet6" ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The key as ipvsadm prints it: `TCP 10.0.0.1:80`, `FWM 7` or `FWM 7 IPv6`. Equal keys give equal text. */
export function formatServiceKey(key: ServiceKey): string {
  switch (key.kind) {
    case "endpoint":
      return `${key.protocol.toUpperCase()} ${formatEndpoint(key.endpoint)}`;
    case "mark":
      return `FWM ${key.mark}${key.family === "inet6" ? " IPv6" : ""}`;
    default:
      return unreachable(key);
  }
}

/** `route`, `tunnel gue:6080 checksum remote`. Equal ways give equal text. */
export function formatForwarding(forwarding: Forwarding): string {
  if (forwarding.kind !== "tunnel") return forwarding.kind;
  switch (forwarding.encapsulation) {
    case "ipip":
      return "tunnel ipip";
    case "gre":
      return `tunnel gre checksum ${forwarding.checksum}`;
    case "gue":
      return `tunnel gue:${forwarding.port} checksum ${forwarding.checksum}`;
    default:
      return unreachable(forwarding);
  }
}

/** `fallback,port`. */
export function formatSchedulerFlags(flags: number): string {
  return Object.entries(SCHEDULER_FLAG)
    .filter(([, bit]) => flags & bit)
    .map(([name]) => name)
    .join(",");
}

/** `255.255.255.0`, `/64`. */
export function formatNetmask({ netmask }: Persistence, family: Family): string {
  return family === "inet6" ? `/${netmask}` : Address.inet(netmask).toString();
}
