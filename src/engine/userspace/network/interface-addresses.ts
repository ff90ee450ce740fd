/** Addresses of the host's interfaces, and which of them its own packets carry: RTM_NEWADDR, include/uapi/linux/if_addr.h. */
import type { Address } from "../../../net/address.ts";
import { type Prefix, prefixContains } from "../../../net/prefix.ts";
import { RTM } from "./netlink.ts";
import { attributesIn, type Message, numberIn, viewOf } from "./netlink-message.ts";
import { addressIn, familyOf, unspecified } from "./route-table.ts";

export interface InterfaceAddress {
  readonly interfaceIndex: number;
  /** The address, and how much of it the network shares. */
  readonly prefix: Prefix;
  /** Known beyond its link (scope universe or site). */
  readonly isGlobal: boolean;
  /** May be used as source of what is new: not secondary, tentative, deprecated. */
  readonly isPreferred: boolean;
}

/** struct ifaddrmsg. */
export const ADDRESS_HEADER_LENGTH = 8;
const at = { family: 0, prefixLength: 1, flags: 2, scope: 3, index: 4 } as const;
const IFA = { address: 1, local: 2, flags: 8 } as const;
/** IFA_F_SECONDARY (IPv6: TEMPORARY), DADFAILED, DEPRECATED, TENTATIVE. */
const NOT_PREFERRED = 0x01 | 0x08 | 0x20 | 0x40;
const RT_SCOPE_LINK = 253;

/** The address that a message tells of; undefined for other messages. */
export function interfaceAddressIn({ type, body }: Message): InterfaceAddress | undefined {
  if (type !== RTM.newAddress || body.length < ADDRESS_HEADER_LENGTH) return undefined;
  const family = familyOf(body[at.family]);
  if (family === undefined) return undefined;
  const attributes = attributesIn(body, ADDRESS_HEADER_LENGTH);
  // On a point-to-point link IFA_ADDRESS is the other end.
  const bytes = attributes.get(IFA.local) ?? attributes.get(IFA.address);
  const address = addressIn(bytes, family);
  if (address === undefined) return undefined;
  const flags = numberIn(attributes, IFA.flags) ?? body[at.flags]!;
  return {
    interfaceIndex: viewOf(body).getUint32(at.index, true),
    prefix: { address, length: body[at.prefixLength]! },
    isGlobal: body[at.scope]! < RT_SCOPE_LINK,
    isPreferred: (flags & NOT_PREFERRED) === 0,
  };
}

/**
 * The source for packets to `nextHop` by an interface: its address in the next hop's network, else another address of
 * it, else a global one of another interface, else the unspecified. inet_select_addr(), RFC 6724 in short.
 */
export function sourceAddress(
  addresses: readonly InterfaceAddress[],
  interfaceIndex: number,
  nextHop: Address,
): Address {
  const candidates = addresses.filter(
    ({ prefix, isPreferred }) => isPreferred && prefix.address.family === nextHop.family,
  );
  const own = candidates.filter((candidate) => candidate.interfaceIndex === interfaceIndex);
  const best =
    own.find(({ prefix }) => prefixContains(prefix, nextHop)) ??
    own.find(({ isGlobal }) => isGlobal !== nextHop.isLinkLocal) ??
    own[0] ??
    candidates.find(({ isGlobal, prefix }) => isGlobal && !prefix.address.isLoopback);
  return best?.prefix.address ?? unspecified(nextHop.family);
}
