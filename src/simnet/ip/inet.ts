/** IP on a host, both families: what comes in is delivered or forwarded, what the host sends goes out. */
import type { Address } from "../../net/address.ts";
import { fragmentIpv4 } from "../../net/fragmentation.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { Reassembler } from "../../net/reassembly.ts";
import type { Host } from "../host/host.ts";
import type { NetworkInterface } from "../host/interface.ts";
import { type Arrival, arrivalOf } from "./arrival.ts";
import { type Datagram, datagramOf, emitPacket, type PacketFields } from "./datagram.ts";
import type { IncomingFrame, OutgoingPacket } from "./packets.ts";
import { type WayOut, wayBy, wayOut } from "./way-out.ts";

/** What a packet that a process sends may leave open. */
export type OwnPacket = Omit<PacketFields, "source"> & {
  readonly source?: Address | undefined;
  /** Out of this interface alone. */
  readonly via?: NetworkInterface | undefined;
};

/** As the C library names them. */
export type SendError = "ENETUNREACH" | "EMSGSIZE";

const LOOPBACK_DELAY_MS = 0.01;

export class Inet {
  readonly #host: Host;
  readonly #reassembler = new Reassembler();
  #identification: number;

  constructor(host: Host) {
    this.#host = host;
    this.#identification = host.random.below(0x1_0000);
  }

  /** A packet that came in a frame, or out of a tunnel. */
  receive(came: IncomingFrame): undefined {
    const packet = datagramOf(came.payload);
    if (packet === undefined) return this.#host.dropFrame(came, "malformed");
    const { source, destination } = packet;
    const input = came.interface.name;
    this.#host.firewall.track(packet.bytes);
    const verdict = this.#host.firewall.pass("PREROUTING", packet.bytes, { input, mark: 0 });
    if (verdict.kind === "drop") return this.#host.dropFrame(came, "firewall");
    const frame = { ...came, mark: verdict.mark };
    // What the host sent to itself has found its way before.
    const arrival: Arrival =
      frame.interface.kind === "loopback"
        ? { kind: "local" }
        : arrivalOf(this.#host, source, destination, frame.interface, frame.mark);
    switch (arrival.kind) {
      case "refused":
        if (arrival.reason === "no-listener" && destination.isMulticast) return undefined;
        return this.#host.dropFrame(frame, arrival.reason);
      case "unreachable":
        this.#host.dropFrame(frame, "no-route");
        return this.#host.icmp.tellAbout(packet, { kind: "host-unreachable" });
      case "forward":
        return this.#forward(packet, frame, arrival);
      default:
        return this.#deliver(packet, frame, arrival.kind === "local");
    }
  }

  arrivalOf(source: Address, destination: Address, card: NetworkInterface): Arrival {
    return arrivalOf(this.#host, source, destination, card);
  }

  wayOut(destination: Address, via?: NetworkInterface): WayOut | "local" | "unreachable" {
    return wayOut(this.#host, destination, via);
  }

  /** Sends what a process made. Undefined: it went, as far as anybody can tell. */
  send(fields: OwnPacket, payload: Uint8Array): SendError | undefined {
    const { destination, via } = fields;
    const source = fields.source ?? this.sourceTowards(destination, via);
    if (source === undefined) return "ENETUNREACH";
    const identification = this.#nextIdentification();
    return this.sendPacket(emitPacket({ identification, ...fields, source }, payload), via);
  }

  /** Sends a whole packet as the host's own. */
  sendPacket(bytes: Uint8Array, via?: NetworkInterface): SendError | undefined {
    this.#host.firewall.track(bytes);
    if (this.isRefusedOut(bytes)) return undefined;
    const own = this.#host.director?.localOut(bytes) ?? bytes;
    if (own === "taken") return undefined;
    const packet = datagramOf(own);
    if (packet === undefined) return undefined;
    const way = wayOut(this.#host, packet.destination, via);
    if (way === "unreachable") return "ENETUNREACH";
    if (way === "local") this.#loop(own);
    else this.leave(way, { bytes: own, isOwn: true });
    return undefined;
  }

  /** Whether the packet filter lets nothing of it out; then it is gone. */
  isRefusedOut(bytes: Uint8Array, output?: NetworkInterface): boolean {
    const passage = { output: output?.name, mark: 0 };
    if (this.#host.firewall.pass("OUTPUT", bytes, passage).kind === "accept") return false;
    this.#host.drop({ bytes, isOwn: true }, output, "firewall");
    return true;
  }

  /** The address that a packet of the host's own to `destination` carries; undefined: there is no way. */
  sourceTowards(destination: Address, via?: NetworkInterface): Address | undefined {
    const way = wayOut(this.#host, destination, via);
    if (way === "local") return this.#localSource(destination);
    return way === "unreachable" ? undefined : way.source;
  }

  /** Sends a packet out by a way that was found, in pieces where it must be. */
  leave(way: WayOut, { bytes, frame, isOwn }: OutgoingPacket): undefined {
    if (bytes.length <= way.mtu) {
      this.#host.neighbours.send(way.interface, way.nextHop, { bytes, frame, isOwn });
      return;
    }
    const view = Ipv4View.over(bytes);
    const pieces = typeof view === "string" ? "dont-fragment" : fragmentIpv4(view, way.mtu);
    if (typeof pieces === "string") {
      this.#host.drop({ bytes, frame, isOwn }, way.interface, "packet-too-big");
      const packet = datagramOf(bytes);
      if (packet !== undefined) {
        this.#host.icmp.tellAbout(packet, { kind: "too-big", mtu: way.mtu });
      }
      return;
    }
    for (const piece of pieces) {
      this.#host.neighbours.send(way.interface, way.nextHop, { bytes: piece, frame, isOwn });
    }
  }

  #deliver(packet: Datagram, frame: IncomingFrame, isUnicast: boolean): undefined {
    const whole = packet.isFragment ? this.#reassemble(packet) : packet;
    if (whole === undefined) return;
    const passage = { input: frame.interface.name, mark: frame.mark ?? 0 };
    if (this.#host.firewall.pass("INPUT", whole.bytes, passage).kind === "drop") {
      this.#host.dropFrame(frame, "firewall");
      return;
    }
    const after = this.#host.director?.localIn(whole.bytes, frame) ?? whole.bytes;
    if (after === "taken") return;
    const mine = after === whole.bytes ? whole : datagramOf(after);
    if (mine !== undefined) this.#host.transports.deliver(mine, frame, isUnicast);
  }

  #reassemble({ view }: Datagram): Datagram | undefined {
    const bytes = this.#reassembler.add(view, this.#host.agenda.now());
    return bytes === undefined ? undefined : datagramOf(bytes);
  }

  /** ip_forward(), ip6_forward(). */
  #forward(
    packet: Datagram,
    frame: IncomingFrame,
    { route, isSourceOnLink }: Extract<Arrival, { kind: "forward" }>,
  ): undefined {
    if (!frame.isUnicast) return;
    if (packet.timeToLive <= 1) {
      this.#host.dropFrame(frame, "time-exceeded");
      this.#host.icmp.tellAbout(packet, { kind: "time-exceeded" });
      return;
    }
    const way = wayBy(this.#host, route, packet.destination, packet.source);
    if (packet.bytes.length > way.mtu && !packet.mayBeCut) {
      this.#host.dropFrame(frame, "packet-too-big");
      this.#host.icmp.tellAbout(packet, { kind: "too-big", mtu: way.mtu });
      return;
    }
    if (isSourceOnLink && route.interface === frame.interface && packet.family === "inet") {
      this.#redirect(packet, frame, way);
    }
    const bytes = packet.bytes.slice();
    const view = datagramOf(bytes)!.view;
    if (view instanceof Ipv4View) view.decrementTimeToLive();
    else view.decrementHopLimit();
    const passage = {
      input: frame.interface.name,
      output: way.interface.name,
      mark: frame.mark ?? 0,
    };
    if (this.#host.firewall.pass("FORWARD", bytes, passage).kind === "drop") {
      this.#host.dropFrame(frame, "firewall");
      return;
    }
    const after = this.#host.director?.forward(bytes, frame) ?? bytes;
    if (after === "taken") return;
    // The director may have rewritten it: the way is its new addresses'.
    const changed = datagramOf(after);
    if (changed === undefined) return;
    const again = changed.destination.equals(packet.destination)
      ? way
      : wayOut(this.#host, changed.destination);
    if (again === "local") this.#loop(after);
    else if (again !== "unreachable") {
      this.leave(again, { bytes: after, frame: frame.number, isOwn: false });
    }
  }

  /** Whoever could send it there by itself is told so: ip_rt_send_redirect(). */
  #redirect(packet: Datagram, { interface: card }: IncomingFrame, way: WayOut): undefined {
    const { settings } = this.#host;
    if (!settings.either("send_redirects", card.name)) return;
    const isShared = settings.either("shared_media", card.name);
    if (isShared || card.isOnLink(packet.source, way.nextHop)) {
      this.#host.icmp.redirect(packet, way.nextHop, card);
    }
  }

  #localSource(destination: Address): Address {
    return this.#host.routes.find(destination)?.source ?? destination;
  }

  /** Out of the loopback and in again. */
  #loop(bytes: Uint8Array): undefined {
    this.#host.agenda.after(LOOPBACK_DELAY_MS, () => this.#host.loop(bytes));
  }

  #nextIdentification(): number {
    this.#identification = (this.#identification + 1) & 0xffff;
    return this.#identification;
  }
}
