/** Where a connection's segments leave its host. */
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitTcp } from "../../net/tcp.ts";
import { emitTcpOptions, TCP_OPTION } from "../../net/tcp-options.ts";
import type { Host } from "../host/host.ts";
import type { Endpoints } from "./tcp.ts";

/** What this side takes, always: its readers are quick. */
export const WINDOW = 64_240;
/** IP's and TCP's, without options. */
export const HEADERS_LENGTH = { inet: 40, inet6: 60 } as const;

export interface Segment {
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly payload: Uint8Array;
  readonly options: Uint8Array;
}

export class Outlet {
  readonly #host: Host;
  readonly #ends: Endpoints;

  constructor(host: Host, ends: Endpoints) {
    this.#host = host;
    this.#ends = ends;
  }

  /** False: there is no way to the peer. */
  send({ payload, ...more }: Segment): boolean {
    const { local, localPort, peer, peerPort } = this.#ends;
    const fields = { source: localPort, destination: peerPort, window: WINDOW, ...more };
    const addresses = { source: local, destination: peer };
    const refused = this.#host.inet.send(
      { ...addresses, protocol: IP_PROTOCOL.tcp, dontFragment: true },
      emitTcp(fields, payload, addresses),
    );
    return refused === undefined;
  }

  /** Payload bytes of a segment that fits through the way out. */
  fits(): number {
    const { peer } = this.#ends;
    const way = this.#host.inet.wayOut(peer);
    const mtu = typeof way === "string" ? 0xffff : way.mtu;
    return mtu - HEADERS_LENGTH[peer.family];
  }

  /** The options of a segment that opens: how much fits into one. */
  openingOptions(): Uint8Array {
    const size = this.fits();
    const value = Uint8Array.of(size >>> 8, size & 0xff);
    return emitTcpOptions([{ kind: TCP_OPTION.maximumSegmentSize, value }]);
  }

  /** The peer hears us, and so the next hop does: nobody has to ask for its address again. */
  confirmNeighbour(): undefined {
    const way = this.#host.inet.wayOut(this.#ends.peer);
    if (typeof way !== "string") this.#host.neighbours.confirm(way.interface, way.nextHop);
  }
}
