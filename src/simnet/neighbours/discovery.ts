/** IPv6's neighbour discovery, RFC 4861: solicitations and advertisements. net/ipv6/ndisc.c. */
import { Address } from "../../net/address.ts";
import { ETHERTYPE, emitEthernet } from "../../net/ethernet.ts";
import { emitIcmpv6, ICMPV6_TYPE, type Icmpv6View } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv6, Ipv6View } from "../../net/ipv6.ts";
import { MAC_LENGTH, type MacAddress, readMac, writeMac } from "../../net/mac-address.ts";
import type { Host } from "../host/host.ts";
import type { NetworkInterface } from "../host/interface.ts";
import type { Datagram } from "../ip/datagram.ts";
import type { IncomingFrame } from "../ip/packets.ts";
import { sourceFor } from "../ip/way-out.ts";

const ALL_NODES = Address.parse("ff02::1")!;
const SOLICITED_NODE = Address.parse("ff02::1:ff00:0")!;
const LINK_LAYER_OPTION = { source: 1, target: 2 } as const;
const OPTION_LENGTH = 8;
const TARGET_LENGTH = 16;
const FLAG = { router: 0x8000_0000, solicited: 0x4000_0000, override: 0x2000_0000 } as const;
/** RFC 4861 section 7.1: another value shows that a router forwarded it. */
const HOP_LIMIT = 255;

export class Discovery {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  receive(packet: Datagram, icmp: Icmpv6View, frame: IncomingFrame): undefined {
    if (packet.timeToLive !== HOP_LIMIT || icmp.payload.length < TARGET_LENGTH) {
      return this.#host.dropFrame(frame, "malformed");
    }
    const target = Address.fromBytes(icmp.payload, 0, "inet6");
    if (icmp.type === ICMPV6_TYPE.neighbourSolicitation) {
      return this.#answer(packet, icmp, target, frame);
    }
    return this.#believe(icmp, target, frame);
  }

  solicit(
    card: NetworkInterface,
    target: Address,
    about: Uint8Array | undefined,
    known: MacAddress | undefined,
  ): undefined {
    const source = this.#sourceFor(card, target, about);
    if (source === undefined) return;
    const group = solicitedNode(target);
    const destination = known === undefined ? group : target;
    const option = linkLayerOption(LINK_LAYER_OPTION.source, card.mac);
    const header = { type: ICMPV6_TYPE.neighbourSolicitation, code: 0, rest: 0 };
    const body = Uint8Array.of(...target.bytes(), ...option);
    this.#send(card, known ?? groupMac(group), { source, destination }, header, body);
  }

  /** ndisc_recv_ns(): answered only for the addresses of the card that the question came in by. */
  #answer(packet: Datagram, icmp: Icmpv6View, target: Address, frame: IncomingFrame): undefined {
    const { interface: card } = frame;
    if (!card.has(target)) return this.#host.dropFrame(frame, "arp-not-ours");
    const asker = linkLayerAddress(icmp.payload, LINK_LAYER_OPTION.source);
    const isDetection = packet.source.isUnspecified;
    if (asker !== undefined && !isDetection) {
      const told = { state: "STALE", overrides: true } as const;
      this.#host.neighbours.learn(card, packet.source, asker, told, true);
    }
    const destination = isDetection ? ALL_NODES : packet.source;
    const forwards = this.#host.settings.own6("forwarding", card.name) !== 0;
    const rest = (forwards ? FLAG.router : 0) + (isDetection ? 0 : FLAG.solicited) + FLAG.override;
    const header = { type: ICMPV6_TYPE.neighbourAdvertisement, code: 0, rest };
    const body = Uint8Array.of(
      ...target.bytes(),
      ...linkLayerOption(LINK_LAYER_OPTION.target, card.mac),
    );
    const mac = isDetection ? groupMac(ALL_NODES) : (asker ?? frame.source);
    this.#send(card, mac, { source: target, destination }, header, body);
  }

  /** ndisc_recv_na(): nobody is learnt whom nobody asked for. */
  #believe(icmp: Icmpv6View, target: Address, frame: IncomingFrame): undefined {
    const mac = linkLayerAddress(icmp.payload, LINK_LAYER_OPTION.target) ?? frame.source;
    const state = icmp.rest & FLAG.solicited ? "REACHABLE" : "STALE";
    const overrides = (icmp.rest & FLAG.override) !== 0;
    this.#host.neighbours.learn(frame.interface, target, mac, { state, overrides });
  }

  /** The packet's own source where it is this card's, as the kernel's ndisc_solicit(). */
  #sourceFor(
    card: NetworkInterface,
    target: Address,
    about: Uint8Array | undefined,
  ): Address | undefined {
    const packet = about === undefined ? undefined : Ipv6View.over(about);
    if (packet instanceof Ipv6View && card.has(packet.source)) return packet.source;
    const route = this.#host.routes.find(target, card);
    return route && sourceFor(this.#host, route, target);
  }

  #send(
    card: NetworkInterface,
    mac: MacAddress,
    addresses: { readonly source: Address; readonly destination: Address },
    header: { readonly type: number; readonly code: number; readonly rest: number },
    body: Uint8Array,
  ): undefined {
    const message = emitIcmpv6(header, body, addresses);
    const ip = { ...addresses, nextHeader: IP_PROTOCOL.icmpv6, hopLimit: HOP_LIMIT };
    const ethernet = { source: card.mac, destination: mac, etherType: ETHERTYPE.ipv6 };
    this.#host.sendFrame(card, emitEthernet(ethernet, emitIpv6(ip, message)));
  }
}

/** Whether the host listens to a group on a card: all nodes, and the solicited-node groups of its addresses. */
export function isOwnGroup(card: NetworkInterface, group: Address): boolean {
  return (
    group.equals(ALL_NODES) ||
    card.inet6.some(({ address }) => solicitedNode(address).equals(group))
  );
}

/** RFC 4291 section 2.7.1. */
function solicitedNode(address: Address): Address {
  const { w0, w1, w2 } = SOLICITED_NODE;
  return Address.inet6(w0, w1, w2, 0xff000000 | (address.w3 & 0x00ffffff));
}

/** RFC 2464 section 7: 33:33 and the group's last four bytes. */
export function groupMac(group: Address): MacAddress {
  const last = [...group.bytes().subarray(12)];
  return `33:33:${last.map((byte) => byte.toString(16).padStart(2, "0")).join(":")}` as MacAddress;
}

function linkLayerOption(kind: number, mac: MacAddress): Uint8Array {
  const option = new Uint8Array(OPTION_LENGTH);
  option[0] = kind;
  option[1] = 1;
  writeMac(option, 2, mac);
  return option;
}

function linkLayerAddress(body: Uint8Array, kind: number): MacAddress | undefined {
  for (let at = TARGET_LENGTH; at + OPTION_LENGTH <= body.length; ) {
    const length = body[at + 1]! * OPTION_LENGTH;
    if (length === 0) return undefined;
    if (body[at] === kind && at + 2 + MAC_LENGTH <= body.length) return readMac(body, at + 2);
    at += length;
  }
  return undefined;
}
