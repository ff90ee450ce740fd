/** Where packets left the programs, as reasons: those for which they go on are the director's own. */
import { verdict } from "./abi.ts";
import { lookUpElement, possibleCpus } from "./libbpf.ts";

// biome-ignore format: a table
const REASONS: Readonly<Record<keyof typeof verdict, string>> = {
  passNotOurs:       "kernel-pass-not-ours",
  passMalformed:     "kernel-pass-malformed",
  passUnknown:       "kernel-pass-unknown",
  passOld:           "kernel-pass-old",
  passEvent:         "kernel-pass-event",
  passTimeToLive:    "kernel-pass-time-to-live",
  passTooBig:        "kernel-pass-too-big",
  passElsewhere:     "kernel-pass-elsewhere",
  passNoChecksum:    "kernel-pass-no-checksum",
  dropNoMemory:      "kernel-drop-no-memory",
  forwardRoute:      "forward-route",
  forwardMasquerade: "forward-masquerade",
  forwardReply:      "forward-reply",
  passDirector:      "kernel-pass-director",
  passNoWay:         "kernel-pass-no-way",
  passNoServer:      "kernel-pass-no-server",
  passFull:          "kernel-pass-full",
  forwardTunnel:     "forward-tunnel",
  passUnfinished:    "kernel-pass-unfinished",
  passNoXdp:         "kernel-pass-no-xdp",
  passHalfOpen:      "kernel-pass-half-open",
};

const FORWARDED = [
  REASONS.forwardRoute,
  REASONS.forwardMasquerade,
  REASONS.forwardReply,
  REASONS.forwardTunnel,
];

const BY_NUMBER: ReadonlyMap<number, string> = new Map(
  Object.entries(verdict).map(([name, number]) => [number, REASONS[name as keyof typeof verdict]]),
);

export function reasonOf(number: number): string {
  return BY_NUMBER.get(number) ?? `kernel-verdict-${number}`;
}

/** By reason, and how many went on. `map` has a number for each processor. */
export function verdictCounts(map: number): Readonly<Record<string, number>> {
  const index = new Uint8Array(4);
  const values = new BigUint64Array(possibleCpus());
  const bytes = new Uint8Array(values.buffer);
  const counts = Object.entries(verdict).map(([name, number]) => {
    new DataView(index.buffer).setUint32(0, number, true);
    const isRead = lookUpElement(map, index, bytes) === 0;
    const count = isRead ? values.reduce((sum, each) => sum + Number(each), 0) : 0;
    return [REASONS[name as keyof typeof verdict], count];
  });
  const reasons = Object.fromEntries(counts) as Record<string, number>;
  const forwarded = FORWARDED.reduce((sum, reason) => sum + reasons[reason]!, 0);
  return { ...reasons, "kernel-forwarded": forwarded };
}
