/** What a packet for the host itself carries, and who gets it. */
import { ETHERTYPE } from "../../net/ethernet.ts";
import { GreView } from "../../net/gre.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Host } from "../host/host.ts";
import type { NetworkInterface, TunnelEnd } from "../host/interface.ts";
import type { Datagram } from "./datagram.ts";
import type { IncomingFrame } from "./packets.ts";

export class Transports {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** `isUnicast`: to an address of this host, not to all. */
  deliver(packet: Datagram, frame: IncomingFrame, isUnicast: boolean): undefined {
    switch (packet.protocol) {
      case IP_PROTOCOL.icmp:
      case IP_PROTOCOL.icmpv6:
        return this.#host.icmp.receive(packet, frame, isUnicast);
      case IP_PROTOCOL.tcp:
        return isUnicast && frame.isUnicast ? this.#host.tcp.receive(packet, frame) : undefined;
      case IP_PROTOCOL.udp:
        return this.#host.udp.receive(packet, frame, isUnicast);
      case IP_PROTOCOL.ipip:
        return this.#unwrap(packet, frame, ["ipip"], packet.payload, ETHERTYPE.ipv4);
      case IP_PROTOCOL.ipv6:
        return this.#unwrap(packet, frame, ["ip6tnl"], packet.payload, ETHERTYPE.ipv6);
      case IP_PROTOCOL.gre:
        return this.#unwrapGre(packet, frame);
      default:
        return this.#refuse(packet, frame);
    }
  }

  /** What came out of a tunnel goes through the host's checks anew, as if the tunnel's end were a card. */
  arriveBy(
    end: NetworkInterface,
    frame: IncomingFrame,
    inner: Uint8Array,
    etherType: number,
  ): undefined {
    end.received.packets++;
    end.received.bytes += inner.length;
    for (const tap of this.#host.taps) tap(end, inner);
    this.#host.inet.receive({ ...frame, interface: end, payload: inner.slice(), etherType });
  }

  #unwrap(
    packet: Datagram,
    frame: IncomingFrame,
    kinds: readonly TunnelEnd["kind"][],
    inner: Uint8Array,
    etherType: number,
  ): undefined {
    const end = this.#host.interfaces.find(
      ({ tunnel, isUp }) =>
        isUp && tunnel !== undefined && kinds.includes(tunnel.kind) && isBetween(tunnel, packet),
    );
    if (end === undefined) return this.#refuse(packet, frame);
    return this.arriveBy(end, frame, inner, etherType);
  }

  #unwrapGre(packet: Datagram, frame: IncomingFrame): undefined {
    const gre = GreView.over(packet.payload);
    if (typeof gre === "string") return this.#host.dropFrame(frame, "malformed");
    const kinds = [packet.family === "inet" ? "gre" : "ip6gre"] as const;
    return this.#unwrap(packet, frame, kinds, gre.payload, gre.protocol);
  }

  #refuse(packet: Datagram, frame: IncomingFrame): undefined {
    this.#host.dropFrame(frame, "no-listener");
    this.#host.icmp.tellAbout(packet, { kind: "protocol-unreachable" });
  }
}

function isBetween({ local, remote }: TunnelEnd, { source, destination }: Datagram): boolean {
  return (
    (local === undefined || local.equals(destination)) &&
    (remote === undefined || remote.equals(source))
  );
}
