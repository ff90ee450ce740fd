/** What of a frame a doctor looks at. */
import { Address } from "../../net/address.ts";
import { ARP_OPERATION, ArpView } from "../../net/arp.ts";
import { ETHERTYPE, EthernetView } from "../../net/ethernet.ts";
import { ICMP_HEADER_LENGTH, ICMP_TYPE } from "../../net/icmp.ts";
import { ICMPV6_TYPE } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { Ipv6View } from "../../net/ipv6.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import { TcpView } from "../../net/tcp.ts";
import { readUint16 } from "../../net/words.ts";

/** RFC 792 and RFC 4443 section 4: in the same place. */
const IDENTIFIER_AT = 4;

export interface Frame {
  readonly source: MacAddress;
  readonly destination: MacAddress;
  readonly content: Content;
}

export type Content =
  /** Somebody says, asked or not, where `address` is. */
  | { readonly kind: "claim"; readonly address: Address }
  | {
      readonly kind: "packet";
      readonly from: Address;
      readonly to: Address;
      readonly tcp: Segment | undefined;
      /** The identifier of an echo's answer. */
      readonly echo: number | undefined;
    };

export interface Segment {
  readonly source: number;
  readonly destination: number;
  readonly flags: number;
  readonly acknowledgement: number;
}

/** Undefined for what a doctor does not look at, and for what makes no sense. */
export function frameOf(bytes: Uint8Array): Frame | undefined {
  const ethernet = EthernetView.over(bytes);
  if (typeof ethernet === "string") return undefined;
  const content = contentOf(ethernet.etherType, ethernet.payload);
  if (content === undefined) return undefined;
  return { source: ethernet.source, destination: ethernet.destination, content };
}

function contentOf(etherType: number, payload: Uint8Array): Content | undefined {
  switch (etherType) {
    case ETHERTYPE.arp: {
      const arp = ArpView.over(payload);
      if (typeof arp === "string" || arp.operation !== ARP_OPERATION.reply) return undefined;
      return { kind: "claim", address: arp.message.sender };
    }
    case ETHERTYPE.ipv4: {
      const ip = Ipv4View.over(payload);
      if (typeof ip === "string") return undefined;
      const isTcp = ip.protocol === IP_PROTOCOL.tcp && ip.fragmentOffset === 0;
      const tcp = isTcp ? segmentOf(payload, ip.payloadStart, ip.end) : undefined;
      const isIcmp = ip.protocol === IP_PROTOCOL.icmp && ip.fragmentOffset === 0;
      const echo = isIcmp
        ? answeredEcho(payload.subarray(ip.payloadStart, ip.end), ICMP_TYPE.echoReply)
        : undefined;
      return { kind: "packet", from: ip.source, to: ip.destination, tcp, echo };
    }
    case ETHERTYPE.ipv6: {
      const ip = Ipv6View.over(payload);
      if (typeof ip === "string") return undefined;
      let echo: number | undefined;
      if (ip.protocol === IP_PROTOCOL.icmpv6) {
        const message = payload.subarray(ip.payloadStart, ip.end);
        const claimed = advertised(message);
        echo = answeredEcho(message, ICMPV6_TYPE.echoReply);
        if (claimed !== undefined) return { kind: "claim", address: claimed };
      }
      const isTcp = ip.protocol === IP_PROTOCOL.tcp;
      const tcp = isTcp ? segmentOf(payload, ip.payloadStart, ip.end) : undefined;
      return { kind: "packet", from: ip.source, to: ip.destination, tcp, echo };
    }
    default:
      return undefined;
  }
}

function answeredEcho(message: Uint8Array, type: number): number | undefined {
  if (message[0] !== type || message.length < ICMP_HEADER_LENGTH) return undefined;
  return readUint16(message, IDENTIFIER_AT);
}

/** The target of a neighbour advertisement, RFC 4861 section 4.4. */
function advertised(message: Uint8Array): Address | undefined {
  if (message[0] !== ICMPV6_TYPE.neighbourAdvertisement || message.length < 24) return undefined;
  return Address.fromBytes(message, 8, "inet6");
}

function segmentOf(bytes: Uint8Array, start: number, end: number): Segment | undefined {
  const tcp = TcpView.over(bytes, start, end);
  if (typeof tcp === "string") return undefined;
  const { source, destination, flags, acknowledgement } = tcp;
  return { source, destination, flags, acknowledgement };
}
