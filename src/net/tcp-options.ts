/**
 * TCP's options, RFC 9293 section 3.1.
 *
 *     | kind | length | value ... |        length counts all three; kinds 0 and 1 are a single byte
 */
import { readUint16 } from "./words.ts";

export const TCP_OPTION = {
  end: 0,
  noOperation: 1,
  maximumSegmentSize: 2,
  windowScale: 3,
  selectiveAcknowledgementPermitted: 4,
  selectiveAcknowledgement: 5,
  timestamps: 8,
} as const;

export interface TcpOption {
  readonly kind: number;
  readonly value: Uint8Array;
}

/** The options up to the end marker or to the first malformed one, no-operations left out. */
export function* tcpOptions(options: Uint8Array): Generator<TcpOption> {
  let at = 0;
  while (at < options.length) {
    const kind = options[at]!;
    if (kind === TCP_OPTION.end) return;
    if (kind === TCP_OPTION.noOperation) {
      at++;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) return;
    yield { kind, value: options.subarray(at + 2, at + length) };
    at += length;
  }
}

/** The largest payload that the sender of these options wants to receive, if it says so. */
export function maximumSegmentSize(options: Uint8Array): number | undefined {
  for (const { kind, value } of tcpOptions(options)) {
    if (kind === TCP_OPTION.maximumSegmentSize && value.length === 2) return readUint16(value, 0);
  }
  return undefined;
}

/** Options as bytes, padded with end markers to a multiple of 4. */
export function emitTcpOptions(options: readonly TcpOption[]): Uint8Array {
  const raw = options.flatMap(({ kind, value }) => [kind, value.length + 2, ...value]);
  while (raw.length % 4 !== 0) raw.push(TCP_OPTION.end);
  return Uint8Array.from(raw);
}
