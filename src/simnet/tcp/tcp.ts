/** TCP on a host: who listens, which connections there are, and which of them a segment is for. */
import type { Address, Family } from "../../net/address.ts";
import { pseudoHeader } from "../../net/checksum.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Port } from "../../net/port.ts";
import { emitTcp, TCP_FLAG, TcpView } from "../../net/tcp.ts";
import { readUint16 } from "../../net/words.ts";
import type { Host } from "../host/host.ts";
import type { Datagram } from "../ip/datagram.ts";
import type { IcmpNews, Quote } from "../ip/icmp.ts";
import type { IncomingFrame } from "../ip/packets.ts";
import { TcpConnection } from "./connection.ts";

export interface TcpListener {
  readonly family: Family;
  /** undefined: every address of the family. */
  readonly address: Address | undefined;
  readonly port: Port;
  readonly program: string;
  /** A connection was opened: its handshake is over. */
  readonly accept: (connection: TcpConnection) => void;
}

export interface Endpoints {
  readonly local: Address;
  readonly localPort: Port;
  readonly peer: Address;
  readonly peerPort: Port;
}

const EPHEMERAL_FIRST = 32_768;
const EPHEMERAL_COUNT = 28_232;

export class Tcp {
  readonly listeners = new Set<TcpListener>();
  readonly #host: Host;
  readonly #connections = new Map<string, TcpConnection>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** In the order in which they were opened. */
  get connections(): readonly TcpConnection[] {
    return [...this.#connections.values()];
  }

  listen(listener: TcpListener): "EADDRINUSE" | "EADDRNOTAVAIL" | (() => void) {
    const { address, port, family } = listener;
    if (address !== undefined && !this.#host.isLocal(address)) return "EADDRNOTAVAIL";
    const isTaken = [...this.listeners].some(
      (each) =>
        each.port === port &&
        each.family === family &&
        (each.address === undefined || address === undefined || each.address.equals(address)),
    );
    if (isTaken) return "EADDRINUSE";
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  connect(
    to: { readonly address: Address; readonly port: Port },
    from?: Address,
  ): TcpConnection | "ENETUNREACH" {
    const local = from ?? this.#host.inet.sourceTowards(to.address);
    if (local === undefined || this.#host.inet.wayOut(to.address) === "unreachable") {
      return "ENETUNREACH";
    }
    const ends = {
      local,
      localPort: this.#freePort(),
      peer: to.address,
      peerPort: to.port,
    };
    const connection = this.#make(ends);
    connection.open();
    return connection;
  }

  receive(packet: Datagram, frame: IncomingFrame): undefined {
    const segment = TcpView.over(packet.payload);
    if (typeof segment === "string") return this.#host.dropFrame(frame, "malformed");
    const { source, destination } = packet;
    const sum = pseudoHeader({ source, destination }, IP_PROTOCOL.tcp, segment.length);
    if (!segment.isChecksumRight(sum)) return this.#host.dropFrame(frame, "bad-checksum");
    const ends = {
      local: destination,
      localPort: segment.destination,
      peer: source,
      peerPort: segment.source,
    };
    const known = this.#connections.get(keyOf(ends));
    const isOpening =
      (segment.flags & (TCP_FLAG.syn | TCP_FLAG.ack | TCP_FLAG.rst)) === TCP_FLAG.syn;
    // RFC 6191: a new connection may begin where an old one rests in TIME-WAIT.
    const isOver = known?.state === "TIME-WAIT" && isOpening && known.mayBeginAnew(segment);
    if (isOver) known.forget();
    if (known !== undefined && !isOver) return known.receive(segment);
    const listener = isOpening ? this.#listenerFor(ends) : undefined;
    if (listener !== undefined) return this.#make(ends, listener).accept(segment);
    this.#host.dropFrame(frame, "no-listener");
    if ((segment.flags & TCP_FLAG.rst) === 0) this.#refuse(ends, segment);
    return undefined;
  }

  hear(news: IcmpNews, about: Quote): undefined {
    if (about.protocol !== IP_PROTOCOL.tcp) return;
    const ends = {
      local: about.source,
      localPort: readUint16(about.payload, 0) as Port,
      peer: about.destination,
      peerPort: readUint16(about.payload, 2) as Port,
    };
    this.#connections.get(keyOf(ends))?.hear(news);
  }

  #make(ends: Endpoints, listener?: TcpListener): TcpConnection {
    const key = keyOf(ends);
    const connection = new TcpConnection(this.#host, ends, listener, () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
    this.#connections.set(key, connection);
    return connection;
  }

  /** One that is bound to the address before one that is bound to all. */
  #listenerFor({ local, localPort }: Endpoints): TcpListener | undefined {
    const there = [...this.listeners].filter(
      ({ address, port, family }) =>
        port === localPort && family === local.family && (address?.equals(local) ?? true),
    );
    return there.find(({ address }) => address !== undefined) ?? there[0];
  }

  /** RFC 9293 section 3.10.7.1: nobody is there. */
  #refuse({ local, localPort, peer, peerPort }: Endpoints, segment: TcpView): undefined {
    const hasAck = (segment.flags & TCP_FLAG.ack) !== 0;
    const length =
      segment.payload.length +
      (segment.flags & TCP_FLAG.syn ? 1 : 0) +
      (segment.flags & TCP_FLAG.fin ? 1 : 0);
    const fields = {
      source: localPort,
      destination: peerPort,
      window: 0,
      ...(hasAck
        ? { flags: TCP_FLAG.rst, sequence: segment.acknowledgement }
        : {
            flags: TCP_FLAG.rst | TCP_FLAG.ack,
            sequence: 0,
            acknowledgement: (segment.sequence + length) >>> 0,
          }),
    };
    const addresses = { source: local, destination: peer };
    const reset = emitTcp(fields, new Uint8Array(0), addresses);
    this.#host.inet.send({ ...addresses, protocol: IP_PROTOCOL.tcp, dontFragment: true }, reset);
  }

  #freePort(): Port {
    const taken = new Set(this.connections.map(({ ends }) => ends.localPort));
    for (;;) {
      const port = (EPHEMERAL_FIRST + this.#host.random.below(EPHEMERAL_COUNT)) as Port;
      if (!taken.has(port)) return port;
    }
  }
}

function keyOf({ local, localPort, peer, peerPort }: Endpoints): string {
  return `${local} ${localPort} ${peer} ${peerPort}`;
}
