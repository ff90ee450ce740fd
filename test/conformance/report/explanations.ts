/** What known differences make of the kernel's lines: predicates over both sides' lines of one step. */
import * as checksum from "../../../src/net/checksum.ts";

/** No frame left. */
export function nothing(lines: readonly string[]): boolean {
  return lines.length === 0;
}

export function isOneFrameOf(wire: "wan" | "lan", lines: readonly string[]): boolean {
  return lines.length === 1 && lines[0]!.startsWith(`${wire} `);
}

export function withoutLines(lines: readonly string[], pattern: RegExp): string[] {
  return lines.filter((line) => !pattern.test(line));
}

/** Who got a connection: one of the case's servers, or the client's router the refusal. */
export function isServersAlone(lines: readonly string[]): boolean {
  return lines.length === 1 && /^(192\.168\.150\.2[123]|10\.8\.0\.254)$/.test(lines[0]!);
}

export function isSameButCounts(theirs: readonly string[], ours: readonly string[]): boolean {
  const [left, right] = [theirs, ours].map((lines) =>
    lines.map((line) => line.replace(/ active \d+ /, " active N ")),
  );
  return left!.join("\n") === right!.join("\n");
}

/** Both sides sent something, and all of it to the same neighbour by the same wire, however it was cut. */
export function areAllFor(theirs: readonly string[], ours: readonly string[]): boolean {
  const receivers = new Set(
    [...theirs, ...ours].map((line) => line.split(" ").slice(0, 4).join(" ")),
  );
  return theirs.length > 0 && ours.length > 0 && receivers.size === 1;
}

export function isSameButState(theirs: readonly string[], ours: readonly string[]): boolean {
  const [left, right] = [theirs, ours].map((lines) =>
    lines.map((line) => line.replace(/ \S+ expires \d+$/, "")),
  );
  return left!.join("\n") === right!.join("\n");
}

const IPV4_HEADER_LENGTH = 20;
const ICMP_HEADER_LENGTH = 8;
const LENGTH_AT = 2;
const FLAGS_AT = 6;
const FRAGMENT_OFFSET = 0x1fff;
const TIME_TO_LIVE_AT = 8;
const HEADER_CHECKSUM_AT = 10;

/** The kernel sent, in pieces and to the same, the very packet that we sent whole. */
export function isReassembled(theirs: readonly string[], ours: readonly string[]): boolean {
  if (ours.length !== 1 || theirs.length < 2 || new Set([...theirs, ...ours].map(way)).size > 1) {
    return false;
  }
  const pieces = theirs.map(packetOf);
  const whole = Buffer.alloc(packetOf(ours[0]!).length);
  pieces[0]!.copy(whole, 0, 0, IPV4_HEADER_LENGTH);
  for (const piece of pieces) {
    const offset = 8 * (piece.readUInt16BE(FLAGS_AT) & FRAGMENT_OFFSET);
    piece.copy(whole, IPV4_HEADER_LENGTH + offset, IPV4_HEADER_LENGTH);
  }
  whole.writeUInt16BE(whole.length, LENGTH_AT);
  whole.writeUInt16BE(0, FLAGS_AT);
  return whole.equals(packetOf(ours[0]!));
}

/** An ICMP message whose quoted packet has one hop more to go, and the checksum for that. */
export function isSameButQuotedTimeToLive(
  theirs: readonly string[],
  ours: readonly string[],
): boolean {
  if (theirs.length !== 1 || ours.length !== 1) return false;
  const expected = packetOf(theirs[0]!);
  const quoted = expected.subarray(IPV4_HEADER_LENGTH + ICMP_HEADER_LENGTH);
  quoted[TIME_TO_LIVE_AT] = quoted[TIME_TO_LIVE_AT]! + 1;
  quoted.writeUInt16BE(0, HEADER_CHECKSUM_AT);
  const sum = checksum.sum(quoted, 0, IPV4_HEADER_LENGTH);
  quoted.writeUInt16BE(~sum & 0xffff, HEADER_CHECKSUM_AT);
  return way(theirs[0]!) === way(ours[0]!) && expected.equals(packetOf(ours[0]!));
}

/** From and to whom, up to the notes and the bytes (canonical.ts). */
function way(line: string): string {
  return /^.* ttl \d+/.exec(line)?.[0] ?? line;
}

function packetOf(line: string): Buffer {
  return Buffer.from(line.slice(line.lastIndexOf(" ") + 1), "hex");
}
