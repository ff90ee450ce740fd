/**
 * Somebody beside the director who forwards packets of connections, and who may open and move them on by itself: the programs
 * in the kernel (engine/kernel/).
 *
 * A connection has one owner at any time. What the offload owns it changes, and tells; the director has it in its table as it
 * was told last. Before the director changes anything of it, or deals with one of its packets, it takes the connection.
 */
import type { Instant } from "../base/clock.ts";
import type { ConnectionTable } from "./connections/connection-table.ts";
import type { Flow } from "./connections/flow.ts";
import type { StateMachine } from "./connections/state-machine.ts";
import type { Sysctls } from "./desired/sysctls.ts";
import type { Destination } from "./services/destination.ts";
import type { OrphanedServer } from "./services/orphan.ts";
import type { OffloadedTraffic, ServiceMirror } from "./services/service-table.ts";

/** A connection as the offload has it. */
export interface OffloadedConnection {
  readonly destination: Destination;
  readonly destinationPort: number;
  readonly state: number;
  /** A forwarding method and CONNECTION_FLAG's bits. */
  readonly flags: number;
  /** From the client. */
  readonly packets: number;
  readonly timeoutMs: number;
  /** A template of its client's led it. */
  readonly isControlled: boolean;
  /** The server has answered a datagram of such a one. */
  readonly isAnswered: boolean;
  /** When its last packet came. */
  readonly seen: Instant;
}

/** Who keeps what the offload tells. */
export interface OffloadListener {
  readonly table: ConnectionTable;
  /** The connection of this flow, whatever its time; or NO_CONNECTION. */
  known(flow: Flow): number;
  /** The offload has opened a connection, which counts on its destination already. NO_CONNECTION when there is no room. */
  opened(flow: Flow, connection: OffloadedConnection): number;
  /** A datagram that is a connection of its own was led by its client's template; it has ended with that. */
  led(flow: Flow, connection: OffloadedConnection): void;
  /** The connection stands so now. */
  moved(id: number, connection: OffloadedConnection): void;
  /** Another connection has taken its place. */
  replaced(id: number): void;
  /** All connections. */
  connections(): Iterable<number>;
  destinationOf(id: number): Destination;
  /** What stands for a server that is not configured. */
  orphan(server: OrphanedServer): Destination;
}

/** By what connections are opened and moved on. */
export interface OffloadRules {
  readonly tcp: StateMachine;
  readonly udp: StateMachine;
  readonly sysctls: Sysctls;
  /** New connections are the director's to decide about: it has to choose who gets one. */
  readonly isOpeningHeld: boolean;
}

/** What an offload that goes on with an earlier process's work knows of a connection that the director had then. */
export type Standing = "unknown" | "current" | "replaced";

export interface Offload {
  /** It goes on with what an earlier process left: connections, and loads that count them. */
  readonly isInherited: boolean;
  /** What it knows of services. */
  readonly mirror: ServiceMirror;
  listen(listener: OffloadListener): void;
  /** Goes by other rules from now on. */
  follow(rules: OffloadRules): void;
  /** Tells what has happened since. To be called before anything is asked of the table. */
  tell(): void;
  /**
   * The director deals with the connection itself from now on. False when the offload has ended it meanwhile: it counts no
   * more.
   */
  take(connections: ConnectionTable, id: number): boolean;
  /** Services are as they are wanted. One that is inherited goes on as it did until there are some. */
  applied(hasServices: boolean): void;
  /** Of a record of an earlier process's, before the director goes on with it. */
  standing(connections: ConnectionTable, id: number): Standing;
  /** The director goes on with a connection of an earlier process, which was "current" or "unknown". */
  adopted(connections: ConnectionTable, id: number): void;
  /** Tells of an earlier process's connections that the director has no record of, some at a time: whether that was all. */
  settle(budget: number): boolean;
  /** The director has opened the connection or the template, or got the template from an earlier process. */
  opened(connections: ConnectionTable, id: number): void;
  /** The connection, or the template, ends: the table's flags are then as it ended. False as take(). */
  release(connections: ConnectionTable, id: number): boolean;
  /** When it last forwarded a packet of the connection; negative infinity when it never did. */
  lastSeen(connections: ConnectionTable, id: number): Instant;
  /** Tells what went by, each packet once. */
  collect(told: OffloadedTraffic): void;
  /** What was decided may no longer hold: every connection's next packet is to meet the host. */
  invalidate(): void;
}
