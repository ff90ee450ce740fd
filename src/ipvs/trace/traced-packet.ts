/** What became of a packet, as it is told to whoever watches. */
import type { Ends, ExplainedCandidate, Sent } from "../explain/explain.ts";
import type { Outcome } from "../packets/outcome.ts";
import type { Hook } from "../packets/packet.ts";

export interface TracedPacket {
  /** When it was decided about, in milliseconds since 1970. */
  readonly at: number;
  /** Who decided: the director, or the program in the kernel that forwards what it knows. */
  readonly engine: "userspace" | "kernel";
  /** As it came. */
  readonly packet: Ends;
  readonly bytes: number;
  /** TCP's as tcpdump has them, "S", "P."; undefined of other protocols. */
  readonly flags: string | undefined;
  readonly hook: Hook;
  /** The interface that it came by, where that is known. */
  readonly arrival: string | undefined;
  readonly service: string | undefined;
  /** Whether its connection was found, or opened by a template or the scheduler. */
  readonly by: "connection" | "template" | "scheduler" | "nobody";
  readonly connection: TracedConnection | undefined;
  /** Undefined unless the scheduler was asked. */
  readonly scheduler: string | undefined;
  /** The one that was chosen first, then in the order in which the scheduler sees them, so many at most. */
  readonly candidates: readonly ExplainedCandidate[];
  readonly candidatesOmitted: number;
  /** The server that its connection goes to. */
  readonly choice: string | undefined;
  readonly verdict: Outcome["verdict"];
  readonly reason: string;
  readonly sent: TracedSent | undefined;
  /** The beginning of the packet as it came, up to its data; undefined unless it is asked for, and where it is not known. */
  readonly headers: Uint8Array | undefined;
}

export interface TracedConnection {
  readonly client: string;
  readonly virtual: string;
  readonly server: string;
  /** After the packet, as listings name it; undefined when the connection is over already. */
  readonly state: string | undefined;
}

export interface TracedSent extends Sent {
  readonly interface: string | undefined;
  readonly headers: Uint8Array | undefined;
}
