/** What becomes of a tunnel packet. A closed list: each has a counter, so "where do my packets go?" is read from those. */
export const OUTCOMES = [
  // What was inside went to the host's own stack.
  "deliver-ipip",
  "deliver-gre",
  "deliver-gue",
  // Until its other fragments come.
  "hold-fragment",
  // Of a UDP port that is not GUE's: a fragment, which does not show its port, was looked at in vain.
  "ignore-other-port",
  "drop-truncated",
  "drop-merged-datagrams",
  "drop-outer-malformed",
  "drop-outer-checksum",
  "drop-outer-destination",
  "drop-outer-source",
  "drop-gre-malformed",
  "drop-gre-checksum",
  "drop-gre-keyed",
  "drop-gre-protocol",
  "drop-udp-malformed",
  "drop-udp-checksum",
  "drop-gue-malformed",
  "drop-gue-control",
  "drop-gue-protocol",
  "drop-remote-checksum",
  "drop-inner-malformed",
  "drop-inner-checksum",
  "drop-inner-destination",
  "drop-inner-source",
  "drop-congestion",
] as const;

export type Outcome = (typeof OUTCOMES)[number];

export type Delivery = Extract<Outcome, `deliver-${string}`>;

export function isDelivery(outcome: Outcome): outcome is Delivery {
  return outcome.startsWith("deliver-");
}
