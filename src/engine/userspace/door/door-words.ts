/** Words of nft(8) and numbers that all of the door's tables share. */
import type { Family } from "../../../net/address.ts";

export const LANE_DEVICE = "sluice-lane";

/** Packets of local servers get this mark, which a routing rule leads into the lane. */
export const OUTPUT_MARK = 0x736c_6301;
/** What local servers sent and the director gave back: it is not taken a second time. */
export const PASSED_MARK = 0x736c_6302;

export const FAMILIES: readonly Family[] = ["inet", "inet6"];

/** What each family has its own word for. The lane's neighbours are link-local. */
// biome-ignore format: a table
export const WORDS = {
  inet:  { hooks: "ip sluice",  wire: "netdev sluice",  ip: "ip",  address: "ipv4_addr", icmp: "icmp",   neighbours: "169.254.77.", fragment: "ip frag-off & 0x3fff != 0" },
  inet6: { hooks: "ip6 sluice", wire: "netdev sluice6", ip: "ip6", address: "ipv6_addr", icmp: "icmpv6", neighbours: "fe80::",      fragment: "exthdr frag exists" },
} as const;

/**
 * Where the tables stand. "hooks": where IPVS does. "wire", for kernels that cannot duplicate packets there: where frames
 * arrive, before all that the host does with them (a table of family netdev sends them on into the lane by `fwd`).
 */
export type Stand = "hooks" | "wire";

export function tableName(family: Family, stand: Stand): string {
  return WORDS[family][stand];
}
