/** What the API's routes (routes.ts) take and give. */

import type { Author, HistoryEntry } from "../control/author.ts";
import type { WireConnection, WireDrain, WireEndpoint } from "../control/wire.ts";
import type { CardHook } from "../engine/card-hook.ts";
import type { VipStand } from "../engine/host/vips/vip-status.ts";
import type { Protocol } from "../ipvs/desired/service.ts";
import type { Explanation } from "../ipvs/explain/explain.ts";
import type { TracedConnection, TracedPacket, TracedSent } from "../ipvs/trace/traced-packet.ts";

export interface Info {
  readonly name: "sluice";
  readonly version: string;
  readonly engine: string;
  readonly pid: number;
  /** The number of the last change. */
  readonly generation: number;
  /** Rows of the connection table: `size` in listings. */
  readonly connectionTableSize: number;
  /** The IPVS version whose commands and meaning this is. */
  readonly ipvsVersion: string;
}

export interface Status {
  readonly version: string;
  readonly pid: number;
  /** As ISO 8601 has it. */
  readonly startedAt: string;
  readonly engine: string;
  /** Where packets are taken, in words. */
  readonly stand: string;
  /** How the kernel engine's programs run at each interface; empty with another engine. */
  readonly cards: readonly CardHook[];
  /** The path of the state file; null: state is kept in memory only. */
  readonly state: string | null;
  /** Why changes cannot be kept in it, and are refused. */
  readonly stateTrouble: string | null;
  readonly services: number;
  readonly servers: number;
  /** Entries of the connection table, and how many it may have. */
  readonly connections: number;
  readonly connectionsMax: number;
  /** Lines of the daemon's log that were lost because nobody read them. */
  readonly logLinesLost: number;
  readonly health: HealthStatus;
  /** The number of the last change. */
  readonly generation: number;
  /** Null: no file was applied. */
  readonly drift: Drift | null;
  /** The daemon read its file again, and does not use it; null: what it read last is in force. */
  readonly refusedReload: {
    readonly at: string;
    readonly path: string;
    readonly problems: readonly string[];
  } | null;
  /** Servers that are drained. */
  readonly draining: number;
  /** Those that Sluice itself adds. */
  readonly vips: readonly StatusVip[];
  readonly findings: readonly StatusFinding[];
  /** More findings than are told. */
  readonly findingsOmitted: number;
}

/** An address that Sluice adds to an interface. */
export interface StatusVip {
  readonly address: string;
  readonly prefixLength: number;
  readonly interface: string;
  readonly label: string | null;
  /** Unknown: nobody looked yet. */
  readonly stand: VipStand | "unknown";
  readonly since: string | null;
  /** False of one that was there before: it stays. */
  readonly own: boolean;
  /** When neighbours were told last where it is. */
  readonly announcedAt: string | null;
}

/** Something that is wrong. */
export interface StatusFinding {
  /** vip-missing, vip-not-local, not-forwarding, no-route, neighbour-silent, filtered, local-client. */
  readonly code: string;
  /** A service, a server of one, or the host. */
  readonly about: string;
  readonly says: string;
  readonly remedy: string;
  readonly since: string;
}

/** What health checks know. Services without checks are not in it. */
export interface HealthStatus {
  /** The process that asks servers; null: no service is checked. */
  readonly prober: { readonly pid: number | null; readonly lag: ProbeLag | null } | null;
  readonly services: readonly ServiceHealthStatus[];
}

/** How far behind their time probes began, in the last seconds. */
export interface ProbeLag {
  readonly probes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly cpuMs: number;
  readonly overMs: number;
}

export interface ServiceHealthStatus {
  readonly service: string;
  readonly hasQuorum: boolean;
  /** The weights of those that are up, together. */
  readonly sum: number;
  readonly quorum: number;
  readonly hysteresis: number;
  /** Who answers instead of the others; null: they do. */
  readonly sorry: string | null;
  /** So few are up that all are kept. */
  readonly isPanic: boolean;
  readonly destinations: readonly DestinationHealthStatus[];
}

export interface DestinationHealthStatus {
  readonly destination: string;
  readonly health: "up" | "down" | "unchecked";
  /** False before there was a result that settled it: then it is held to be so. */
  readonly isKnown: boolean;
  /** Null when nobody checks it. */
  readonly since: string | null;
  readonly why: string;
  /** What it has in its service now; null: it was taken out. */
  readonly weight: number | null;
  readonly checks: readonly {
    readonly check: string;
    readonly up: boolean;
    readonly isKnown: boolean;
    readonly why: string;
    readonly latencyMs: number | null;
    readonly warning: string | null;
  }[];
}

/** What is wanted, and what would change. */
export interface Plan {
  readonly changes: readonly PlannedChange[];
}

export interface PlannedChange {
  readonly action: "add" | "change" | "remove";
  readonly what: "service" | "destination" | "timeouts" | "sysctls" | "vip";
  /** Of a "vip" alone: its address. */
  readonly vip?: string;
  /** A service id; null with what is none's. */
  readonly service: string | null;
  readonly destination: string | null;
  /** What is different: null where there was nothing, or nothing will be. */
  readonly facts: readonly {
    readonly name: string;
    readonly before: PlannedFact;
    readonly after: PlannedFact;
  }[];
  /** Those that are there now. They go on when something is changed; the packets of what is removed are dropped. */
  readonly connections: number;
}

export type PlannedFact = string | number | boolean | null;

/** What is left out: five minutes, the server stays, its connections are not ended. */
export interface WireDrainRequest {
  /** Null: until the last connection has ended. */
  readonly timeoutSeconds?: number | null;
  readonly afterwards?: "remove" | "keep";
  /** Whether the connections that remain at the end are ended, with a reset to both sides. */
  readonly force?: boolean;
}

/** A client's first packet. Port 0: of the client, any; of a server, whatever it has. */
export interface WireQuestion {
  readonly client: WireEndpoint;
  /** Of a service for a mark, or for any port: where to. */
  readonly to?: WireEndpoint | null;
  readonly protocol?: Protocol | null;
  /** A weight of null: the server is gone. */
  readonly whatIf?: readonly { readonly server: WireEndpoint; readonly weight: number | null }[];
}

/** The first of the lines that say what would be in force. */
export interface WireQuestionWithService extends WireQuestion {
  /** Its id. */
  readonly service: string;
}

export type ExplainReply = Explanation & {
  /** The reason in words. */
  readonly means: string;
  /** The interface's name; null when nothing leaves. */
  readonly interface: string | null;
};

/** A packet that went by: TracedPacket, with null for what is not there, and headers in base64. */
export type WireTracedPacket = Omit<
  TracedPacket,
  | "at"
  | "flags"
  | "arrival"
  | "service"
  | "scheduler"
  | "choice"
  | "connection"
  | "headers"
  | "sent"
> & {
  /** When it was decided about (RFC 3339), and in microseconds since 1970. */
  readonly at: string;
  readonly atMicroseconds: number;
  readonly flags: string | null;
  readonly arrival: string | null;
  readonly service: string | null;
  readonly scheduler: string | null;
  readonly choice: string | null;
  readonly connection: (Omit<TracedConnection, "state"> & { readonly state: string | null }) | null;
  /** The reason in words. */
  readonly means: string;
  readonly headers: string | null;
  readonly sent:
    | (Omit<TracedSent, "interface" | "headers"> & {
        readonly interface: string | null;
        readonly headers: string | null;
      })
    | null;
};

/** Servers that are drained. */
export interface Drains {
  readonly drains: readonly DrainStatus[];
}

/** Connections that were asked for. */
export interface ConnectionCount {
  readonly count: number;
  /** What they were counted by, the largest first. */
  readonly groups: readonly { readonly name: string; readonly count: number }[];
  /** Those of groups that are not told. */
  readonly others: number;
  /** What `byAge` counts: below so many seconds, and last those that are older, or of an age that nobody knows. */
  readonly agesBelowSeconds: readonly number[];
  readonly byAge: readonly number[];
  readonly oldest: readonly WireConnection[];
}

/** How far the ending of connections is: a line of it from time to time. */
export interface EndedConnections {
  readonly found: number;
  /** Those of which both sides were told by a reset. */
  readonly reset: number;
  /** Those that were forgotten without: no TCP, templates, and those whose client did not answer. */
  readonly forgotten: number;
  readonly isDone: boolean;
}

/** What stands beside what the file says that was applied last. */
export interface Drift {
  readonly source: string;
  readonly appliedAt: string;
  readonly by: Author;
  /** What becomes of it. */
  readonly mode: "keep" | "reconcile";
  /** From what the file says to what stands. */
  readonly changes: readonly PlannedChange[];
}

/** What was changed, the newest first. */
export interface HistoryReply {
  /** The one in force. */
  readonly generation: number;
  readonly entries: readonly HistoryEntry[];
}

export interface DrainStatus extends WireDrain {
  /** A service id, and a destination's. */
  readonly service: string;
  readonly destination: string;
  /** When it ends at the latest, as ISO 8601 has it; null: when its last connection does. */
  readonly endsAt: string | null;
  /** Templates are not among them: they bring no connections any more. Null: too many servers are drained to count. */
  readonly connections: ConnectionCount | null;
}

/** What a reply says when the call was refused or failed. */
export interface ErrorReply {
  readonly error: {
    /**
     * A FaultCode (ipvs/desired/errors.ts), or one of the API's own: bad-request, broken-off, not-permitted, no-such-route,
     * no-such-method, too-large, busy, not-kept, internal.
     */
    readonly code: string;
    readonly message: string;
    readonly fault?: object;
    readonly problems?: readonly { readonly path: string; readonly message: string }[];
  };
}
