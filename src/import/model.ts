/** What other balancers' configurations have in common: virtual servers, real servers, and how those are looked at. */
import type { MailServer } from "../configuration/mail-place.ts";
import type { ForwardingContent } from "../configuration/schema.ts";
import type { Family } from "../net/address.ts";
import type { Place } from "./told.ts";

/** What importing any of them brings. */
export interface ImportedServers {
  readonly virtualServers: readonly VirtualServer[];
  readonly timeouts: { readonly tcp?: number; readonly tcpFin?: number; readonly udp?: number };
}

export interface VirtualServer {
  readonly at: Place;
  /** As it is introduced there, for what is told of it. */
  readonly text: string;
  /** What those that share its servers are called, when they are several. */
  readonly name: string | undefined;
  /** Several share all that follows. */
  readonly keys: readonly VirtualServerKey[];
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly scheduler: string;
  readonly flags: readonly SchedulerFlag[];
  readonly isOnePacket: boolean;
  readonly persistence: Persistence | undefined;
  readonly persistenceEngine: "sip" | undefined;
  readonly quorum: number;
  readonly hysteresis: number;
  readonly sorry: SorryServer | undefined;
  readonly realServers: readonly RealServer[];
  /** To whom mail about it, or about its real servers, goes. */
  readonly mail?: Mail | undefined;
  /** Whether it goes when this one has its quorum, or lost it. */
  readonly isMailed?: boolean;
  /** Whether scripts and mail tell that all is down when the balancer ends. */
  readonly isToldAtEnd?: boolean;
  /** Run when it has its quorum, or lost it. */
  readonly scripts?: readonly NotifyScript[];
}

/** A program that is to be run when something is up, or down. */
export interface NotifyScript {
  readonly at: Place;
  readonly when: "up" | "down";
  readonly command: readonly string[];
  /** Who is to run it. */
  readonly user: string | undefined;
}

export interface Mail {
  readonly to: readonly string[];
  readonly from: string | undefined;
  readonly server: MailServer;
  /** Whose it is. */
  readonly name: string;
  readonly helo?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
}

export type VirtualServerKey =
  | { readonly kind: "endpoint"; readonly address: string; readonly port: number }
  | { readonly kind: "mark"; readonly mark: number; readonly family: Family };

export type SchedulerFlag = "fallback" | "port" | "third";

export interface Persistence {
  readonly timeout: number;
  readonly netmask?: string;
  readonly prefixLength?: number;
}

export interface SorryServer {
  readonly at: Place;
  readonly address: string;
  /** Undefined: as the virtual server's. */
  readonly port: number | undefined;
  readonly forwarding: ForwardingContent;
  readonly isInhibited: boolean;
}

export interface RealServer {
  readonly at: Place;
  readonly text: string;
  readonly address: string;
  /** Undefined: as the virtual server's. */
  readonly port: number | undefined;
  readonly forwarding: ForwardingContent;
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  /** Weight 0 instead of being removed. */
  readonly isInhibited: boolean;
  readonly checks: readonly Check[];
  /** Whether mail goes when it is up, or down. */
  readonly isMailed?: boolean;
  /** Run when it is up, or down. */
  readonly scripts?: readonly NotifyScript[];
}

/** It is up only if all of its checks say so. */
export interface Check {
  readonly at: Place;
  readonly probe: Probe;
  readonly connection: Connection;
  readonly timing: Timing;
}

export interface Timing {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  /** Failures after which it is down. */
  readonly fall: number;
  /** Successes after which it is up. */
  readonly rise: number;
  readonly retrySeconds: number;
  /** What it is before the first has ended. */
  readonly startsUp: boolean;
}

/** Where it goes when not to the real server, and from where. */
export interface Connection {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly sourceAddress?: string | undefined;
  readonly sourcePort?: number | undefined;
  readonly interface?: string | undefined;
  readonly mark?: number | undefined;
}

export interface HttpRequest {
  readonly at: Place;
  readonly path: string;
  readonly method?: "GET" | "HEAD";
  readonly host: string | undefined;
  /** As HTTP's basic authentication has them. */
  readonly login?: { readonly user: string; readonly password: string } | undefined;
  /** From, to. */
  readonly status: readonly (readonly [number, number])[];
  /** MD5 of the body. */
  readonly digest: string | undefined;
  readonly pattern: { readonly source: string; readonly isCaseless: boolean } | undefined;
  readonly isPatternForbidden: boolean;
}

export type Probe =
  | { readonly kind: "tcp" }
  | {
      readonly kind: "http" | "https";
      readonly requests: readonly HttpRequest[];
      readonly serverName: string | undefined;
    }
  | { readonly kind: "smtp"; readonly helo: string | undefined }
  | { readonly kind: "dns"; readonly type: string; readonly name: string; readonly answer?: string }
  | {
      readonly kind: "exec";
      readonly command: readonly string[];
      readonly isDynamic: boolean;
      readonly user: string | undefined;
      readonly group: string | undefined;
    }
  | {
      readonly kind: "udp";
      /** In hexadecimal digits. */
      readonly payload: string | undefined;
      /** `X` for half a byte that may be anything; empty for any reply. */
      readonly reply: string | undefined;
      readonly lengths: readonly [number, number];
    }
  | { readonly kind: "icmp" | "tls" | "redis" }
  | { readonly kind: "mysql" | "postgres"; readonly user?: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly multiplier: number;
      readonly isDynamic: boolean;
    };
