/** ICMP and ICMPv6 on a host: echoes are answered, troubles told and heard. net/ipv4/icmp.c, net/ipv6/icmp.c. */
import type { Address } from "../../net/address.ts";
import { emitEcho, emitIcmp, ICMP_TYPE, IcmpView, UNREACHABLE_CODE } from "../../net/icmp.ts";
import { emitEchoV6, ICMPV6_TYPE, Icmpv6View, UNREACHABLE_CODE_V6 } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { Ipv6View } from "../../net/ipv6.ts";
import type { Host } from "../host/host.ts";
import type { NetworkInterface } from "../host/interface.ts";
import { type Datagram, datagramOf } from "./datagram.ts";
import { errorAbout, type Trouble } from "./icmp-errors.ts";
import { IcmpLimits } from "./icmp-limits.ts";
import type { IncomingFrame, OutgoingPacket } from "./packets.ts";

/** What a message says, of either family. */
export interface IcmpNews {
  readonly kind:
    | "echo-reply"
    | "host-unreachable"
    | "port-unreachable"
    | "time-exceeded"
    | "too-big";
  readonly from: Address;
  readonly timeToLive: number;
  /** What an error quotes, or the echo itself: identifier and sequence in the header's second word. */
  readonly about: Quote | undefined;
  readonly rest: number;
  readonly data: Uint8Array;
  readonly mtu: number;
}

/** The packet that an error is about: its addresses, and at least eight bytes of what it carried. */
export interface Quote {
  readonly source: Address;
  readonly destination: Address;
  readonly protocol: number;
  readonly payload: Uint8Array;
}

export class Icmp {
  /** Processes that want to hear: ping. */
  readonly listeners = new Set<(news: IcmpNews) => void>();
  readonly #host: Host;
  readonly #limits: IcmpLimits;

  constructor(host: Host) {
    this.#host = host;
    this.#limits = new IcmpLimits(host.world.agenda);
  }

  mayTell(peer: Address, kind: string): boolean {
    return kind === "too-big" || this.#limits.allows(`${peer}`);
  }

  /** Tells the packet's sender what is wrong, where RFC 1122 section 3.2.2 allows it. */
  tellAbout(packet: Datagram, trouble: Trouble): undefined {
    const { source, destination } = packet;
    if (!this.mayTell(source, trouble.kind)) return;
    const from = this.#host.isLocal(destination) ? destination : this.#addressTowards(source);
    const error = from && errorAbout(packet, from, trouble);
    if (error !== undefined) this.#host.inet.sendPacket(error);
  }

  /** Nobody answered for its next hop: ipv4_link_failure(). */
  tellUnreachable({ bytes }: OutgoingPacket): undefined {
    const packet = datagramOf(bytes);
    if (packet !== undefined) this.tellAbout(packet, { kind: "host-unreachable" });
  }

  /** RFC 1122 section 3.2.2.2: there is a nearer gateway. */
  redirect(packet: Datagram, gateway: Address, card: NetworkInterface): undefined {
    const { source, bytes, view } = packet;
    if (!this.#limits.allows(`redirect ${source}`)) return;
    const from = this.#addressTowards(source) ?? card.inet[0]?.address;
    if (from === undefined || !(view instanceof Ipv4View)) return;
    const header = { type: ICMP_TYPE.redirect, code: 1, rest: gateway.w3 };
    const message = emitIcmp(header, bytes.slice(0, Math.min(bytes.length, view.headerLength + 8)));
    this.#host.inet.send(
      { protocol: IP_PROTOCOL.icmp, source: from, destination: source, tos: 0xc0 },
      message,
    );
  }

  receive(packet: Datagram, frame: IncomingFrame, isUnicast: boolean): undefined {
    if (packet.family === "inet") this.#receiveInet(packet, frame, isUnicast);
    else this.#receiveInet6(packet, frame);
  }

  #receiveInet(packet: Datagram, frame: IncomingFrame, isUnicast: boolean): undefined {
    const icmp = IcmpView.over(packet.payload);
    if (typeof icmp === "string") return this.#host.dropFrame(frame, "malformed");
    if (!icmp.isChecksumRight()) return this.#host.dropFrame(frame, "bad-checksum");
    const { settings } = this.#host;
    if (icmp.type === ICMP_TYPE.echoRequest) {
      if (settings.number("net.ipv4.icmp_echo_ignore_all") !== 0) return;
      if (!isUnicast && settings.number("net.ipv4.icmp_echo_ignore_broadcasts") !== 0) return;
      const reply = emitEcho("reply", icmp.identifier, icmp.sequence, icmp.payload);
      const source = isUnicast ? packet.destination : undefined;
      const to = { source, destination: packet.source, protocol: IP_PROTOCOL.icmp };
      this.#host.inet.send(to, reply);
      return;
    }
    const kind =
      icmp.type === ICMP_TYPE.echoReply ? "echo-reply" : INET_KINDS[icmp.type]?.(icmp.code);
    const { rest, mtu, payload: data } = icmp;
    const quoted = icmp.isError ? quoteInet(data) : undefined;
    this.#hear(packet, kind, { about: quoted, rest, mtu, data });
  }

  #receiveInet6(packet: Datagram, frame: IncomingFrame): undefined {
    const icmp = Icmpv6View.over(packet.payload);
    if (typeof icmp === "string" || !(packet.view instanceof Ipv6View)) {
      return this.#host.dropFrame(frame, "malformed");
    }
    if (!icmp.isChecksumRight(packet.view.pseudoHeader(icmp.length))) {
      return this.#host.dropFrame(frame, "bad-checksum");
    }
    const { type } = icmp;
    if (type === ICMPV6_TYPE.echoRequest) {
      const source = packet.destination.isMulticast ? undefined : packet.destination;
      const way = source ?? this.#addressTowards(packet.source);
      if (way === undefined) return;
      const addresses = { source: way, destination: packet.source };
      const reply = emitEchoV6("reply", icmp.identifier, icmp.sequence, icmp.payload, addresses);
      this.#host.inet.send({ ...addresses, protocol: IP_PROTOCOL.icmpv6 }, reply);
      return;
    }
    const isDiscovery =
      type === ICMPV6_TYPE.neighbourSolicitation || type === ICMPV6_TYPE.neighbourAdvertisement;
    if (isDiscovery) return this.#host.discovery.receive(packet, icmp, frame);
    const kind = type === ICMPV6_TYPE.echoReply ? "echo-reply" : INET6_KINDS[type]?.(icmp.code);
    const { rest, mtu, payload: data } = icmp;
    const quoted = icmp.isError ? quoteInet6(data) : undefined;
    this.#hear(packet, kind, { about: quoted, rest, mtu, data });
  }

  #hear(
    { source, timeToLive }: Datagram,
    kind: IcmpNews["kind"] | undefined,
    content: Pick<IcmpNews, "about" | "rest" | "mtu" | "data">,
  ): undefined {
    if (kind === undefined) return;
    const news: IcmpNews = { kind, from: source, timeToLive, ...content };
    if (kind === "too-big" && news.about !== undefined) {
      this.#host.pathMtus.learn(news.about.destination, news.mtu);
    }
    for (const listen of this.listeners) listen(news);
    if (news.about === undefined) return;
    this.#host.tcp.hear(news, news.about);
    this.#host.udp.hear(news, news.about);
  }

  #addressTowards(destination: Address): Address | undefined {
    return this.#host.inet.sourceTowards(destination);
  }
}

type KindOf = (code: number) => IcmpNews["kind"] | undefined;

const INET_KINDS: Readonly<Record<number, KindOf>> = {
  [ICMP_TYPE.destinationUnreachable]: (code) =>
    code === UNREACHABLE_CODE.port
      ? "port-unreachable"
      : code === UNREACHABLE_CODE.fragmentationNeeded
        ? "too-big"
        : "host-unreachable",
  [ICMP_TYPE.timeExceeded]: () => "time-exceeded",
};

const INET6_KINDS: Readonly<Record<number, KindOf>> = {
  [ICMPV6_TYPE.destinationUnreachable]: (code) =>
    code === UNREACHABLE_CODE_V6.port ? "port-unreachable" : "host-unreachable",
  [ICMPV6_TYPE.packetTooBig]: () => "too-big",
  [ICMPV6_TYPE.timeExceeded]: () => "time-exceeded",
};

function quoteInet(data: Uint8Array): Quote | undefined {
  const view = Ipv4View.unplaced();
  if (view.moveToQuote(data, 0, data.length) !== undefined) return undefined;
  const { source, destination, protocol, payload } = view;
  return { source, destination, protocol, payload };
}

function quoteInet6(data: Uint8Array): Quote | undefined {
  const view = Ipv6View.unplaced();
  if (view.moveToQuote(data, 0, data.length) !== undefined) return undefined;
  const { source, destination, protocol, payload } = view;
  return { source, destination, protocol, payload };
}
