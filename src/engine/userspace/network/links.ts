/** The host's network interfaces: RTM_NEWLINK, include/uapi/linux/if_link.h. */

import { RTM } from "./netlink.ts";
import {
  type Attributes,
  attributesIn,
  type Message,
  numberIn,
  textIn,
  viewOf,
} from "./netlink-message.ts";

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Six bytes; empty for an interface that has none. */
  readonly mac: Uint8Array;
  /** Bytes of the largest IP packet. */
  readonly mtu: number;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
  /** Its frames have Ethernet headers. */
  readonly isEthernet: boolean;
  /** What it is a port of: "bridge", "bond", "team", "vrf", ... */
  readonly portOf: string | undefined;
}

/** struct ifinfomsg. */
export const LINK_HEADER_LENGTH = 16;
const at = { hardwareType: 2, index: 4, flags: 8 } as const;

const IFLA = { address: 1, name: 3, mtu: 4, linkInfo: 18 } as const;
const IFLA_INFO_SLAVE_KIND = 4;
const IFF = { up: 0x1, loopback: 0x8 } as const;
const ARPHRD_ETHER = 1;

/** Ports whose frames come in a second time, from the interface that they are ports of. */
const REPEATING = new Set(["bridge", "bond", "team", "hsr"]);

/** The link that a message tells of; undefined for other messages. */
export function linkIn(message: Message): Link | undefined {
  if (message.type !== RTM.newLink || message.body.length < LINK_HEADER_LENGTH) return undefined;
  const view = viewOf(message.body);
  const attributes = attributesIn(message.body, LINK_HEADER_LENGTH);
  const flags = view.getUint32(at.flags, true);
  return {
    index: view.getInt32(at.index, true),
    name: textIn(attributes, IFLA.name) ?? "",
    mac: attributes.get(IFLA.address) ?? new Uint8Array(0),
    mtu: numberIn(attributes, IFLA.mtu) ?? 0,
    isUp: (flags & IFF.up) !== 0,
    isLoopback: (flags & IFF.loopback) !== 0,
    isEthernet: view.getUint16(at.hardwareType, true) === ARPHRD_ETHER,
    portOf: portKind(attributes),
  };
}

/** Whether a frame that this link receives is seen again on another, so that it must be left to that one. */
export function isRepeatingPort(link: Link): boolean {
  return link.portOf !== undefined && REPEATING.has(link.portOf);
}

function portKind(attributes: Attributes): string | undefined {
  const info = attributes.get(IFLA.linkInfo);
  return info && textIn(attributesIn(info), IFLA_INFO_SLAVE_KIND);
}
