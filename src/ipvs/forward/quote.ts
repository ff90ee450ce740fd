/**
 * The packet that an ICMP error quotes: whose it was, and rewriting it when the error crosses the NAT.
 *
 * A quote is cut where its sender liked, so only the first 8 bytes behind its IP header are certain (RFC 792).
 */
import { ICMP_TYPE, IcmpView } from "../../net/icmp.ts";
import { Icmpv6View } from "../../net/icmpv6.ts";
import type { IpVersion } from "../../net/ip-family.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { Ipv6View } from "../../net/ipv6.ts";
import type { Port } from "../../net/port.ts";
import { PortsView } from "../../net/ports.ts";
import type { Words } from "../connections/connection-ends.ts";
import { Flow } from "../connections/flow.ts";
import type { Packet } from "../packets/packet.ts";

/** Which end of the quoted packet the client is: of a reply its destination, of a request its source. */
export type ClientEnd = "source" | "destination";

export class Quote {
  readonly icmp = IcmpView.unplaced();
  readonly icmpv6 = Icmpv6View.unplaced();
  readonly ipv4 = Ipv4View.unplaced();
  readonly ipv6 = Ipv6View.unplaced();
  readonly #ports = PortsView.unplaced();
  readonly #flow = new Flow();
  #family: IpVersion = 4;
  #hasPorts = false;

  /** Moves to the error that `packet` is. False when it is no error that the director relays, or is malformed. */
  moveTo(packet: Packet): boolean {
    const { bytes, transport, end } = packet;
    this.#hasPorts = false;
    if (packet.isFragment) return false;
    if (packet.protocol === IP_PROTOCOL.icmp && packet.family === 4) {
      if (this.icmp.moveTo(bytes, transport, end) !== undefined || !isRelayed(this.icmp.type)) {
        return false;
      }
      return this.moveToPacket(bytes, this.icmp.payloadStart, end, 4);
    }
    if (packet.protocol !== IP_PROTOCOL.icmpv6 || packet.family !== 6) return false;
    if (this.icmpv6.moveTo(bytes, transport, end) !== undefined || !this.icmpv6.isError) {
      return false;
    }
    return this.moveToPacket(bytes, this.icmpv6.payloadStart, end, 6);
  }

  /** Moves to the quoted packet itself: also the one inside a quoted tunnel packet. */
  moveToPacket(bytes: Uint8Array, start: number, end: number, family: IpVersion): boolean {
    const view = family === 4 ? this.ipv4 : this.ipv6;
    if (view.moveToQuote(bytes, start, end) !== undefined) return false;
    this.#family = family;
    const isLater =
      family === 4
        ? this.ipv4.fragmentOffset > 0
        : this.ipv6.isFragment && !this.ipv6.isFirstFragment;
    this.#hasPorts =
      hasPorts(view.protocol) &&
      !isLater &&
      this.#ports.moveTo(bytes, view.payloadStart, view.end) === undefined;
    return true;
  }

  get family(): IpVersion {
    return this.#family;
  }

  get protocol(): number {
    return this.#family === 4 ? this.ipv4.protocol : this.ipv6.protocol;
  }

  get payloadStart(): number {
    return this.#family === 4 ? this.ipv4.payloadStart : this.ipv6.payloadStart;
  }

  get end(): number {
    return this.#family === 4 ? this.ipv4.end : this.ipv6.end;
  }

  /** What the quoted packet's connection is found by; undefined without ports. The object is reused. */
  flow(client: ClientEnd): Flow | undefined {
    if (!this.#hasPorts) return undefined;
    const flow = this.#flow;
    const isSource = client === "source";
    flow.family = this.#family;
    flow.protocol = this.protocol;
    flow.clientPort = isSource ? this.#ports.source : this.#ports.destination;
    flow.virtualPort = isSource ? this.#ports.destination : this.#ports.source;
    if (this.#family === 4) {
      const { sourceWord, destinationWord } = this.ipv4;
      flow.client0 = flow.client1 = flow.client2 = 0;
      flow.virtual0 = flow.virtual1 = flow.virtual2 = 0;
      flow.client3 = isSource ? sourceWord : destinationWord;
      flow.virtual3 = isSource ? destinationWord : sourceWord;
      return flow;
    }
    const { source, destination } = this.ipv6;
    const clientAddress = isSource ? source : destination;
    const virtualAddress = isSource ? destination : source;
    flow.client0 = clientAddress.w0;
    flow.client1 = clientAddress.w1;
    flow.client2 = clientAddress.w2;
    flow.client3 = clientAddress.w3;
    flow.virtual0 = virtualAddress.w0;
    flow.virtual1 = virtualAddress.w1;
    flow.virtual2 = virtualAddress.w2;
    flow.virtual3 = virtualAddress.w3;
    return flow;
  }

  /** Rewrites one end of the quoted packet; the error's own checksum is the caller's to refresh. */
  rewrite(end: ClientEnd, to: Words, port: number): void {
    if (end === "source") {
      if (this.#family === 4) this.ipv4.setSource(to.w3);
      else this.ipv6.setSource(to.w0, to.w1, to.w2, to.w3);
      this.#ports.setSource(port as Port);
    } else {
      if (this.#family === 4) this.ipv4.setDestination(to.w3);
      else this.ipv6.setDestination(to.w0, to.w1, to.w2, to.w3);
      this.#ports.setDestination(port as Port);
    }
  }
}

/** The types of IPv4 that ip_vs_in_icmp() handles. */
function isRelayed(type: number): boolean {
  return (
    type === ICMP_TYPE.destinationUnreachable ||
    type === ICMP_TYPE.sourceQuench ||
    type === ICMP_TYPE.timeExceeded
  );
}

function hasPorts(protocol: number): boolean {
  return (
    protocol === IP_PROTOCOL.tcp || protocol === IP_PROTOCOL.udp || protocol === IP_PROTOCOL.sctp
  );
}
