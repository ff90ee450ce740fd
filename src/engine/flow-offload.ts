/** What an engine hands flows to, so that their further packets need not come to the director. */
import type { ConnectionTable } from "../ipvs/connections/connection-table.ts";
import type { Route } from "../ipvs/host.ts";
import type { Offload } from "../ipvs/offload.ts";
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

export interface FlowOffload extends Disposable {
  /** What the engine that has it is called. */
  readonly name: string;
  /** What the director tells, and is told. */
  readonly flows: Offload;
  /** The director sent a whole packet of this connection on, and it went out. */
  learn(packet: DecidedPacket): void;
  /** To be told of the host's network at the beginning, and whenever interfaces or neighbours may have changed. */
  follow(network: HostNetwork): void;
  /** What became of packets without the director, by reason. */
  reasons(): Readonly<Record<string, number>>;
}
