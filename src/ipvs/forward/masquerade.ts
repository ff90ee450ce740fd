/**
 * NAT: addresses and ports rewritten in place, every checksum kept true.
 *
 * ip_vs_nat_xmit() with tcp_dnat_handler(), udp_snat_handler() and their kin. A checksum that the network card shall
 * finish (partial) covers only addresses so far, so only they change it.
 */
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Port } from "../../net/port.ts";
import { PortsView } from "../../net/ports.ts";
import { SctpView } from "../../net/sctp.ts";
import { TcpView } from "../../net/tcp.ts";
import { UdpView } from "../../net/udp.ts";
import type { Packet } from "../packet.ts";

/** Four signed words, as an Address has them. */
export interface Words {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

export class Masquerade {
  readonly #tcp = TcpView.unplaced();
  readonly #udp = UdpView.unplaced();
  readonly #sctp = SctpView.unplaced();
  readonly #ports = PortsView.unplaced();

  /** Points the packet at a real server. */
  rewriteDestination(packet: Packet, to: Words, port: number): void {
    const { destination0, destination1, destination2, destination3 } = packet;
    if (packet.family === 4) packet.ipv4.setDestination(to.w3);
    else packet.ipv6.setDestination(to.w0, to.w1, to.w2, to.w3);
    this.#adjust(packet, destination3, to.w3);
    if (packet.family === 6) {
      this.#adjust(packet, destination2, to.w2);
      this.#adjust(packet, destination1, to.w1);
      this.#adjust(packet, destination0, to.w0);
    }
    this.#setPort(packet, "destination", port as Port);
  }

  /** Makes a real server's packet come from the virtual service. */
  rewriteSource(packet: Packet, to: Words, port: number): void {
    const { source0, source1, source2, source3 } = packet;
    if (packet.family === 4) packet.ipv4.setSource(to.w3);
    else packet.ipv6.setSource(to.w0, to.w1, to.w2, to.w3);
    this.#adjust(packet, source3, to.w3);
    if (packet.family === 6) {
      this.#adjust(packet, source2, to.w2);
      this.#adjust(packet, source1, to.w1);
      this.#adjust(packet, source0, to.w0);
    }
    this.#setPort(packet, "source", port as Port);
  }

  /** A word of the pseudo-header changed. SCTP's checksum has no pseudo-header. */
  #adjust(packet: Packet, before: number, after: number): void {
    const view = this.#checksummed(packet);
    if (view === undefined) return;
    if (packet.isChecksumPartial) view.adjustPartialChecksum(before, after);
    else view.adjustChecksum(before, after);
  }

  #setPort(packet: Packet, side: "source" | "destination", port: Port): void {
    const { bytes, transport, end } = packet;
    const view =
      packet.protocol === IP_PROTOCOL.sctp || packet.isChecksumPartial
        ? this.#ports
        : this.#checksummed(packet);
    if (view === undefined) return;
    if (view === this.#ports) this.#ports.moveTo(bytes, transport, end);
    const isChanged = view[side] !== port;
    if (side === "source") view.setSource(port);
    else view.setDestination(port);
    if (packet.protocol === IP_PROTOCOL.sctp) {
      if (isChanged && this.#sctp.moveTo(bytes, transport, end) === undefined) {
        this.#sctp.refreshChecksum();
      }
    } else if (view === this.#udp && this.#udp.checksum === 0) {
      // The sender made no checksum; the kernel gives the datagram a real one on its way.
      const { length } = this.#udp;
      this.#udp.refreshChecksum(
        packet.family === 4 ? packet.ipv4.pseudoHeader(length) : packet.ipv6.pseudoHeader(length),
      );
    }
  }

  #checksummed({ protocol, bytes, transport, end }: Packet): TcpView | UdpView | undefined {
    if (protocol === IP_PROTOCOL.tcp) {
      return this.#tcp.moveTo(bytes, transport, end) === undefined ? this.#tcp : undefined;
    }
    if (protocol === IP_PROTOCOL.udp) {
      return this.#udp.moveTo(bytes, transport, end) === undefined ? this.#udp : undefined;
    }
    return undefined;
  }
}
