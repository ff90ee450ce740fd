/** UDP sockets of a host. */
import type { Address } from "../../net/address.ts";
import { pseudoHeader } from "../../net/checksum.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Port } from "../../net/port.ts";
import { emitUdp, UdpView } from "../../net/udp.ts";
import { readUint16 } from "../../net/words.ts";
import type { Host } from "../host/host.ts";
import type { Datagram } from "../ip/datagram.ts";
import type { IcmpNews, Quote } from "../ip/icmp.ts";
import type { SendError } from "../ip/inet.ts";
import type { IncomingFrame } from "../ip/packets.ts";

export interface UdpMessage {
  readonly source: Address;
  readonly sourcePort: Port;
  readonly destination: Address;
  readonly payload: Uint8Array;
  readonly packet: Datagram;
  readonly frame: IncomingFrame;
}

export interface UdpSocket {
  readonly address: Address | undefined;
  readonly port: Port;
  readonly program: string;
  readonly receive: (message: UdpMessage) => void;
  readonly fail?: (news: IcmpNews) => void;
}

const EPHEMERAL_FIRST = 32_768;
const EPHEMERAL_COUNT = 28_232;

export class Udp {
  readonly sockets = new Set<UdpSocket>();
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** A port that nobody has. */
  freePort(): Port {
    const taken = new Set([...this.sockets].map(({ port }) => port));
    for (;;) {
      const port = (EPHEMERAL_FIRST + this.#host.random.below(EPHEMERAL_COUNT)) as Port;
      if (!taken.has(port)) return port;
    }
  }

  open(socket: UdpSocket): () => void {
    this.sockets.add(socket);
    return () => this.sockets.delete(socket);
  }

  send(
    from: { readonly address: Address | undefined; readonly port: Port },
    to: { readonly address: Address; readonly port: Port },
    payload: Uint8Array,
  ): SendError | undefined {
    const destination = to.address;
    const source = from.address ?? this.#host.inet.sourceTowards(destination);
    if (source === undefined) return "ENETUNREACH";
    const header = { source: from.port, destination: to.port };
    const datagram = emitUdp(header, payload, { source, destination });
    return this.#host.inet.send({ source, destination, protocol: IP_PROTOCOL.udp }, datagram);
  }

  receive(packet: Datagram, frame: IncomingFrame, isUnicast: boolean): undefined {
    const udp = UdpView.over(packet.payload);
    if (typeof udp === "string") return this.#host.dropFrame(frame, "malformed");
    const sum = pseudoHeader(packet, IP_PROTOCOL.udp, udp.length);
    if (udp.checksum !== 0 && !udp.isChecksumRight(sum)) {
      return this.#host.dropFrame(frame, "bad-checksum");
    }
    const socket = this.#find(packet.destination, udp.destination);
    if (socket === undefined) {
      this.#host.dropFrame(frame, "no-listener");
      if (isUnicast) this.#host.icmp.tellAbout(packet, { kind: "port-unreachable" });
      return;
    }
    const { source, destination } = packet;
    const payload = udp.payload.slice();
    socket.receive({ source, sourcePort: udp.source, destination, payload, packet, frame });
  }

  hear(news: IcmpNews, about: Quote): undefined {
    if (about.protocol !== IP_PROTOCOL.udp) return;
    const port = readUint16(about.payload, 0);
    for (const socket of this.sockets) if (socket.port === port) socket.fail?.(news);
  }

  /** One that is bound to the address before one that is bound to all. */
  #find(address: Address, port: number): UdpSocket | undefined {
    const there = [...this.sockets].filter(
      (each) => each.port === port && (each.address?.equals(address) ?? true),
    );
    return there.find((each) => each.address !== undefined) ?? there[0];
  }
}
