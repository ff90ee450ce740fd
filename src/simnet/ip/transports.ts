/** What a packet for the host itself carries, and who gets it. */
import { ETHERTYPE } from "../../net/ethernet.ts";
import { GreView } from "../../net/gre.ts";
import { GueView } from "../../net/gue.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Host } from "../host/host.ts";
import type { NetworkInterface, TunnelEnd, TunnelForm } from "../host/interface.ts";
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
        return this.#unwrap(packet, frame, "ip", packet.payload, ETHERTYPE.ipv4);
      case IP_PROTOCOL.ipv6:
        return this.#unwrap(packet, frame, "ip", packet.payload, ETHERTYPE.ipv6);
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
    for (const tap of this.#host.taps) tap(end, inner, "in");
    this.#host.inet.receive({ ...frame, interface: end, payload: inner.slice(), etherType });
  }

  /** What UDP carries to a port of GUE. */
  unwrapGue(packet: Datagram, frame: IncomingFrame, payload: Uint8Array): undefined {
    const gue = GueView.over(payload);
    const end = typeof gue === "string" ? undefined : this.#endFor(packet, "gue");
    if (typeof gue === "string" || end === undefined)
      return this.#host.dropFrame(frame, "malformed");
    const etherType = gue.protocol === IP_PROTOCOL.ipv6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4;
    return this.arriveBy(end, frame, gue.payload, etherType);
  }

  #endFor(packet: Datagram, form: TunnelForm): NetworkInterface | undefined {
    return this.#host.interfaces.find(
      ({ tunnel, isUp }) =>
        isUp && tunnel?.takes.includes(form) === true && isBetween(tunnel, packet),
    );
  }

  #unwrap(
    packet: Datagram,
    frame: IncomingFrame,
    form: TunnelForm,
    inner: Uint8Array,
    etherType: number,
  ): undefined {
    const end = this.#endFor(packet, form);
    if (end === undefined) return this.#refuse(packet, frame);
    return this.arriveBy(end, frame, inner, etherType);
  }

  #unwrapGre(packet: Datagram, frame: IncomingFrame): undefined {
    const gre = GreView.over(packet.payload);
    if (typeof gre === "string") return this.#host.dropFrame(frame, "malformed");
    return this.#unwrap(packet, frame, "gre", gre.payload, gre.protocol);
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
