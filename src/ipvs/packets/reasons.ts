/**
 * Why a packet left the director the way it did. A closed list: each has a counter, so "where do my packets go?" is
 * answered by reading counters.
 */
export const REASONS = [
  // Forwarded.
  "forward-masquerade",
  "forward-route",
  "forward-tunnel",
  "forward-bypass",
  "forward-reply",
  "forward-icmp-request",
  "forward-icmp-reply",
  // Handed to the host's own stack.
  "pass-no-services",
  "pass-not-unicast",
  "pass-malformed",
  "pass-martian-source",
  "pass-not-balanced",
  "pass-fragment",
  "pass-no-service",
  "pass-not-local",
  "pass-not-first",
  "pass-icmp-unrelated",
  "pass-ftp-other-port",
  "pass-source-port-20",
  "pass-local-destination",
  "pass-reply",
  "pass-reply-rewritten",
  "pass-not-forwarding",
  // Dropped.
  "drop-malformed",
  "drop-no-destination",
  "drop-destination-removed",
  "drop-table-full",
  "drop-adopting",
  "drop-service-share",
  "drop-defence",
  "drop-overload",
  "drop-no-call-id",
  "drop-unreachable",
  "drop-time-exceeded",
  "drop-packet-too-big",
  "drop-crosses-local",
  "drop-bad-checksum",
  "drop-path-mtu-learnt",
  "hold-fragment",
] as const;

export type Reason = (typeof REASONS)[number];

/** Entries that gave way to new connections, because the table was filling up: half open, or their connection over. */
export const YIELDINGS = ["gave-way-half-open", "gave-way-ended"] as const;

export type Yielding = (typeof YIELDINGS)[number];

/** A counter per reason; counting is one typed-array increment. */
export class ReasonCounters {
  readonly #counts = new Float64Array(REASONS.length);

  count(reason: Reason): void {
    const index = INDEX[reason];
    this.#counts[index] = this.#counts[index]! + 1;
  }

  snapshot(): Record<Reason, number> {
    return Object.fromEntries(
      REASONS.map((reason, index) => [reason, this.#counts[index]!]),
    ) as Record<Reason, number>;
  }
}

const INDEX = Object.fromEntries(REASONS.map((reason, index) => [reason, index])) as Readonly<
  Record<Reason, number>
>;
