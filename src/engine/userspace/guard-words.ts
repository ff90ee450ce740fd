/** Words of nft(8) that all of the guard's rules share. */
import { ICMP_ERRORS } from "./guard-rules.ts";

export const GUARD_TABLE = "inet sluice_guard";

/** Of all fragments of a packet the first, too: its ports may be another's, and then it goes back whole. */
export const FRAGMENT = {
  inet: "ip frag-off & 0x3fff != 0",
  inet6: "exthdr frag exists",
} as const;

export const ICMP_ERROR_TYPES = {
  inet: `icmp type { ${ICMP_ERRORS.inet.join(", ")} }`,
  inet6: `icmpv6 type { ${ICMP_ERRORS.inet6.join(", ")} }`,
} as const;
