/**
 * One IP packet where it lies, and what the director needs to know of it in numbers.
 *
 * Its owner keeps one Packet and moves it from packet to packet: nothing here allocates.
 */
import { type Address, Address as AddressOf } from "../../net/address.ts";
import { type IpVersion, versionAt } from "../../net/ip-family.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { type Ipv4Fault, Ipv4View } from "../../net/ipv4.ts";
import { type Ipv6Fault, Ipv6View } from "../../net/ipv6.ts";
import { PORTS_OFFSET } from "../../net/ports.ts";
import { SCTP_HEADER_LENGTH } from "../../net/sctp.ts";
import { TCP_HEADER_LENGTH } from "../../net/tcp.ts";
import { UDP_HEADER_LENGTH } from "../../net/udp.ts";
import { NOWHERE, readUint16 } from "../../net/words.ts";

/** "transport-truncated": the transport header ends early. */
export type PacketFault = Ipv4Fault | Ipv6Fault | "transport-truncated";

/**
 * How far the host has got with a packet: netfilter's hooks (include/uapi/linux/netfilter.h).
 *
 * "wire": nobody has looked at it yet; what the host would refuse or send elsewhere is for the director to find out.
 * "local-in": it is for the host itself and has passed its checks and filters. "forward": it is on its way through the
 * host, which has routed it, found that it fits, and taken one from its time to live. "local-out": a process of the
 * host's own sends it.
 */
export type Hook = "wire" | "local-in" | "forward" | "local-out";

/** How a packet came in, beyond its bytes. */
export interface Arrival {
  readonly hook: Hook;
  readonly interfaceIndex: number;
  /** The frame was addressed to this host, not to all or to another. */
  readonly isUnicast: boolean;
  /** The firewall mark; 0 is none. */
  readonly mark: number;
  /** Payload bytes of each segment when this is a super-packet that the network card shall cut up; 0 when not. */
  readonly segmentSize: number;
  /** The transport checksum holds the pseudo-header's sum only: the network card shall finish it. */
  readonly isChecksumPartial: boolean;
  /** Writable bytes before the packet, for a tunnel's header. */
  readonly headroom: number;
}

/** For a packet that did not come in: it was made here. */
export const NO_ARRIVAL: Arrival = {
  hook: "wire",
  interfaceIndex: 0,
  isUnicast: true,
  mark: 0,
  segmentSize: 0,
  isChecksumPartial: false,
  headroom: 0,
};

/** The first byte of 127.0.0.0/8. */
const INET_LOOPBACK = 127;
/** The first bytes of 224.0.0.0/4. */
const INET_MULTICAST_FIRST = 224;
const INET_MULTICAST_LAST = 239;
/** 255.255.255.255, as a signed word. */
const INET_BROADCAST = -1;
/** The first byte of ff00::/8. */
const INET6_MULTICAST = 0xff;

/** Bytes of the transport header that must be there; 0 for protocols without ports. */
function transportLength(protocol: number): number {
  switch (protocol) {
    case IP_PROTOCOL.tcp:
      return TCP_HEADER_LENGTH;
    case IP_PROTOCOL.udp:
      return UDP_HEADER_LENGTH;
    case IP_PROTOCOL.sctp:
      return SCTP_HEADER_LENGTH;
    default:
      return 0;
  }
}

export class Packet {
  readonly ipv4 = Ipv4View.unplaced();
  readonly ipv6 = Ipv6View.unplaced();

  bytes = NOWHERE;
  start = 0;
  end = 0;

  hook: Hook = "wire";
  interfaceIndex = 0;
  isUnicast = true;
  mark = 0;
  segmentSize = 0;
  isChecksumPartial = false;
  headroom = 0;
  /** Of a packet that was reassembled here: bytes of its longest fragment, which no piece of it shall exceed. 0 of others. */
  longestFragment = 0;

  family: IpVersion = 4;
  /** The transport protocol, past IPv6's extension headers. */
  protocol = 0;
  /** Where the transport header begins, as an offset in `bytes`. */
  transport = 0;
  isFragment = false;
  source0 = 0;
  source1 = 0;
  source2 = 0;
  source3 = 0;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  /** 0 for protocols without ports and for fragments. */
  sourcePort = 0;
  destinationPort = 0;

  /** Takes the packet at `start`. On a fault the packet must not be used. */
  moveTo(bytes: Uint8Array, start: number, end: number, arrival: Arrival): PacketFault | undefined {
    this.hook = arrival.hook;
    this.interfaceIndex = arrival.interfaceIndex;
    this.isUnicast = arrival.isUnicast;
    this.mark = arrival.mark;
    this.segmentSize = arrival.segmentSize;
    this.isChecksumPartial = arrival.isChecksumPartial;
    this.headroom = arrival.headroom;
    this.longestFragment = 0;
    if (end <= start) return "truncated";
    return versionAt(bytes, start) === 6
      ? this.#moveToInet6(bytes, start, end)
      : this.#moveToInet(bytes, start, end);
  }

  /** The IP packet's length in bytes. */
  get length(): number {
    return this.end - this.start;
  }

  get source(): Address {
    return this.family === 4
      ? AddressOf.inet(this.source3)
      : AddressOf.inet6(this.source0, this.source1, this.source2, this.source3);
  }

  get destination(): Address {
    return this.family === 4
      ? AddressOf.inet(this.destination3)
      : AddressOf.inet6(this.destination0, this.destination1, this.destination2, this.destination3);
  }

  get isSourceLoopback(): boolean {
    if (this.family === 4) return this.source3 >>> 24 === INET_LOOPBACK;
    return this.source3 === 1 && (this.source0 | this.source1 | this.source2) === 0;
  }

  /** No host's own address: the host's stack refuses such packets before anybody gets to see them (RFC 1812 section 5.3.7). */
  get isSourceMartian(): boolean {
    if (this.family === 6) return this.source0 >>> 24 === INET6_MULTICAST;
    // Of 0.0.0.0/8, Linux refuses but the one.
    if (this.source3 === 0 || this.source3 === INET_BROADCAST) return true;
    const first = this.source3 >>> 24;
    return first >= INET_MULTICAST_FIRST && first <= INET_MULTICAST_LAST;
  }

  get timeToLive(): number {
    return this.family === 4 ? this.ipv4.timeToLive : this.ipv6.hopLimit;
  }

  decrementTimeToLive(): void {
    if (this.family === 4) this.ipv4.decrementTimeToLive();
    else this.ipv6.decrementHopLimit();
  }

  #moveToInet(bytes: Uint8Array, start: number, end: number): PacketFault | undefined {
    const { ipv4 } = this;
    const fault = ipv4.moveTo(bytes, start, end);
    if (fault !== undefined) return fault;
    this.#place(bytes, start, ipv4.end, 4);
    this.protocol = ipv4.protocol;
    this.transport = ipv4.payloadStart;
    this.isFragment = ipv4.isFragment;
    this.source0 = this.source1 = this.source2 = 0;
    this.source3 = ipv4.sourceWord;
    this.destination0 = this.destination1 = this.destination2 = 0;
    this.destination3 = ipv4.destinationWord;
    return this.#readPorts();
  }

  #moveToInet6(bytes: Uint8Array, start: number, end: number): PacketFault | undefined {
    const { ipv6 } = this;
    const fault = ipv6.moveTo(bytes, start, end);
    if (fault !== undefined) return fault;
    this.#place(bytes, start, ipv6.end, 6);
    this.protocol = ipv6.protocol;
    this.transport = ipv6.payloadStart;
    this.isFragment = ipv6.isFragment;
    this.source0 = ipv6.sourceWord(0);
    this.source1 = ipv6.sourceWord(1);
    this.source2 = ipv6.sourceWord(2);
    this.source3 = ipv6.sourceWord(3);
    this.destination0 = ipv6.destinationWord(0);
    this.destination1 = ipv6.destinationWord(1);
    this.destination2 = ipv6.destinationWord(2);
    this.destination3 = ipv6.destinationWord(3);
    return this.#readPorts();
  }

  #place(bytes: Uint8Array, start: number, end: number, family: IpVersion): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.family = family;
  }

  #readPorts(): PacketFault | undefined {
    this.sourcePort = this.destinationPort = 0;
    if (this.isFragment) return undefined;
    const length = transportLength(this.protocol);
    if (length === 0) return undefined;
    if (this.end - this.transport < length) return "transport-truncated";
    this.sourcePort = readUint16(this.bytes, this.transport + PORTS_OFFSET.source);
    this.destinationPort = readUint16(this.bytes, this.transport + PORTS_OFFSET.destination);
    return undefined;
  }
}
