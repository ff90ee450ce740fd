/** What an engine hands flows to, so that their further packets need not come to the director. */
import type { Instant } from "../base/clock.ts";
import type { ConnectionTable } from "../ipvs/connections/connection-table.ts";
import type { Route } from "../ipvs/host.ts";
import type { Offload } from "../ipvs/offload.ts";
import type { Place, TraceFilter } from "../ipvs/trace/trace-filter.ts";
import type { CardHook } from "./card-hook.ts";
import type { HostNetwork } from "./host/host-network.ts";

export interface DecidedPacket {
  readonly connections: ConnectionTable;
  readonly connection: number;
  readonly direction: "client" | "server";
  /** The interface that it came by. */
  readonly arrival: number;
  readonly route: Route;
  /** The largest IP packet that the flow's way takes, in bytes. */
  readonly mtu: number;
  /** As a frame of the route begins: the neighbour's address and the interface's own. */
  readonly linkAddresses: Uint8Array;
}

/** A packet that went on without the director. */
export interface ForwardedPacket {
  readonly at: Instant;
  readonly protocol: number;
  /** As it came. */
  readonly source: Place;
  readonly destination: Place;
  readonly bytes: number;
  readonly tcpFlags: number;
  readonly arrival: number;
  /** Of the services' table. */
  readonly destinationId: number;
  readonly isReply: boolean;
  /** It opened its connection. */
  readonly isNew: boolean;
  /** Of its connection, after it. */
  readonly state: number;
  /** False: it was lost. */
  readonly isSent: boolean;
  readonly reason: string;
  /** As it left. */
  readonly sent: { readonly source: Place; readonly destination: Place };
  readonly departure: number;
  readonly nextHop: string;
  /** As it left, up to its data. */
  readonly headers: Uint8Array;
}

export interface ForwardedWatch {
  /** Whoever watches wants those of one of these; more may be told. */
  readonly filters: readonly TraceFilter[];
  readonly told: (packet: ForwardedPacket) => void;
  /** There were more than there was room for. */
  readonly missed: (count: number) => void;
}

export interface FlowOffload extends Disposable {
  /** What the engine that has it is called. */
  readonly name: string;
  /** Where it opens and forwards connections, and what of the host's sees them there; `taken`: where the engine takes packets. */
  stand(taken: string): Promise<string>;
  /** How its programs run where packets arrive. */
  readonly cards: readonly CardHook[];
  /** What the director tells, and is told. */
  readonly flows: Offload;
  /** The folder of what goes on when the process has ended; undefined: nothing does. */
  readonly pins: string | undefined;
  /** The engine stands: what an earlier process left is its own from now on, and until then no start that fails ends it. */
  begin(): void;
  /** Nothing is to go on without the process. */
  endWithProcess(): void;
  /** All goes on when this is disposed of, where it can. */
  leave(): void;
  /** The director sent a whole packet of this connection on, and it went out. */
  learn(packet: DecidedPacket): void;
  /** To be told of the host's network at the beginning, and whenever interfaces or neighbours may have changed. */
  follow(network: HostNetwork): void;
  /** Tells of the packets that it forwards, until what this returns is disposed of. */
  watch(watch: ForwardedWatch): Disposable;
  /** What became of packets without the director, by reason. */
  reasons(): Readonly<Record<string, number>>;
}
