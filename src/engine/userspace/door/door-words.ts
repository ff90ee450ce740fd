/** Words of nft(8) and numbers that all of the door's tables share. */
import type { Family } from "../../../net/address.ts";

export const LANE_DEVICE = "sluice-lane";
/** Our end of the lane. */
export const OWN_DEVICE = "sluice-engine";

/**
 * Packets of local servers get this mark, which a routing rule leads into the lane. It has none of the bits that others are
 * known to look at: kube-proxy (0x4000, 0x8000), Cilium (0x0f00), Tailscale (0xff0000), Calico (0xffff0000).
 */
export const OUTPUT_MARK = 0x2053;
/**
 * The priority (SO_PRIORITY) of what this process sends as the host's own: it is not taken a second time. No mark, because
 * rules before ours may set that anew (connection marks). The last digit is the ordinary band of queues (TC_PRIO_BESTEFFORT).
 */
export const OWN_PRIORITY = 0x736c_6300;

export const FAMILIES: readonly Family[] = ["inet", "inet6"];

/** What each family has its own word for. The lane's neighbours are link-local. */
// biome-ignore format: a table
export const WORDS = {
  inet:  { hooks: "ip sluice",  wire: "netdev sluice",  ip: "ip",  address: "ipv4_addr", icmp: "icmp",   neighbours: "169.254.77.", network: "169.254.77.0/28", fragment: "ip frag-off & 0x3fff != 0", header: "protocol" },
  inet6: { hooks: "ip6 sluice", wire: "netdev sluice6", ip: "ip6", address: "ipv6_addr", icmp: "icmpv6", neighbours: "fe80::",      network: "fe80::/124",      fragment: "exthdr frag exists",        header: "nexthdr" },
} as const;

/**
 * Where the tables stand. "hooks": where IPVS does. "wire", for kernels that cannot duplicate packets there: where frames
 * arrive, before all that the host does with them (a table of family netdev sends them on into the lane by `fwd`).
 */
export type Stand = (typeof STANDS)[number];
export const STANDS = ["hooks", "wire"] as const;

/** Where tables stand, and which of several processes' they are: one that has gone may have left its own for a while. */
export interface Place {
  readonly stand: Stand;
  readonly number: number;
}

export function tableName(family: Family, { stand, number }: Place): string {
  return `${WORDS[family][stand]}${number === 0 ? "" : `_${number}`}`;
}
