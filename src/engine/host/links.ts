/** The host's network interfaces: RTM_NEWLINK, include/uapi/linux/if_link.h. */

import { RTM } from "./netlink/netlink.ts";
import {
  type Attributes,
  attributesIn,
  type Message,
  numberIn,
  textIn,
  viewOf,
} from "./netlink/netlink-message.ts";

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Six bytes; empty for an interface that has none. */
  readonly mac: Uint8Array;
  /** Bytes of the largest IP packet. */
  readonly mtu: number;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
  /** What its frames begin with. "other" is nothing that we can write. */
  readonly header: "ethernet" | "none" | "other";
  /**
   * Of an interface that asks nobody, where frames go to whose neighbour the host's table does not have:
   * arp_constructor(), ndisc_constructor(). Undefined for one that asks.
   */
  readonly unaskedMac: Uint8Array | undefined;
  /** What it is a port of: "bridge", "bond", "team", "vrf", ... */
  readonly portOf: string | undefined;
  /** What it is made of: "veth", "vlan", "bridge", "bond", ...; undefined of a card. */
  readonly kind: string | undefined;
  /** Of one that lies over another, that one's index; of a veth its other end's. */
  readonly lower: number | undefined;
}

/** struct ifinfomsg. */
export const LINK_HEADER_LENGTH = 16;
const at = { hardwareType: 2, index: 4, flags: 8 } as const;

const IFLA = { address: 1, broadcast: 2, name: 3, mtu: 4, link: 5, linkInfo: 18 } as const;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_SLAVE_KIND = 4;
const IFF = { up: 0x1, broadcast: 0x2, loopback: 0x8, pointToPoint: 0x10, noArp: 0x80 } as const;

/** ARPHRD_*, include/uapi/linux/if_arp.h: ETHER, LOOPBACK. */
const ETHERNET = new Set([1, 772]);
/** PPP, RAWIP, TUNNEL, TUNNEL6, SIT, NONE (tun, WireGuard). */
const WITHOUT_HEADER = new Set([512, 519, 768, 769, 776, 0xfffe]);
/** IPGRE, IP6GRE: a tunnel to many has its outer header for one, ipgre_tunnel_init(). */
const GRE = new Set([778, 823]);

/** Ports whose frames come in a second time, from the interface that they are ports of. */
const REPEATING = new Set(["bridge", "bond", "team", "hsr"]);

/** The link that a message tells of; undefined for other messages. */
export function linkIn(message: Message): Link | undefined {
  if (message.type !== RTM.newLink || message.body.length < LINK_HEADER_LENGTH) return undefined;
  const view = viewOf(message.body);
  const attributes = attributesIn(message.body, LINK_HEADER_LENGTH);
  const flags = view.getUint32(at.flags, true);
  const mac = attributes.get(IFLA.address) ?? new Uint8Array(0);
  const header = headerOf(view.getUint16(at.hardwareType, true), flags);
  return {
    index: view.getInt32(at.index, true),
    name: textIn(attributes, IFLA.name) ?? "",
    mac,
    mtu: numberIn(attributes, IFLA.mtu) ?? 0,
    isUp: (flags & IFF.up) !== 0,
    isLoopback: (flags & IFF.loopback) !== 0,
    header,
    unaskedMac: unaskedMac(flags, mac, attributes.get(IFLA.broadcast)),
    portOf: kindIn(attributes, IFLA_INFO_SLAVE_KIND),
    kind: kindIn(attributes, IFLA_INFO_KIND),
    lower: numberIn(attributes, IFLA.link),
  };
}

/** Whether a frame that this link receives is seen again on another, so that it must be left to that one. */
export function isRepeatingPort(link: Link): boolean {
  return link.portOf !== undefined && REPEATING.has(link.portOf);
}

function headerOf(hardwareType: number, flags: number): Link["header"] {
  if (ETHERNET.has(hardwareType)) return "ethernet";
  if (WITHOUT_HEADER.has(hardwareType)) return "none";
  const isToOne = (flags & IFF.pointToPoint) !== 0 && (flags & IFF.broadcast) === 0;
  return GRE.has(hardwareType) && isToOne ? "none" : "other";
}

function unaskedMac(
  flags: number,
  mac: Uint8Array,
  broadcast: Uint8Array | undefined,
): Uint8Array | undefined {
  if (flags & (IFF.noArp | IFF.loopback)) return mac;
  return flags & IFF.pointToPoint ? broadcast : undefined;
}

function kindIn(attributes: Attributes, type: number): string | undefined {
  const info = attributes.get(IFLA.linkInfo);
  return info && textIn(attributesIn(info), type);
}
