/**
 * The way through IPv6's extension headers, RFC 8200 section 4.
 *
 *     | next header | length | ...        in units of 8 bytes beyond the first 8; in AH, of 4 bytes beyond the first 8
 *     | next header | 0 | offset, more | identification |        the fragment header: always 8 bytes
 */
import { IP_PROTOCOL } from "./ip-protocol.ts";
import { readUint16 } from "./words.ts";

/** RFC 8200 has six kinds, destination options twice. A longer chain is an attack or a mistake. */
const HEADERS_MAX = 8;

export const IPV6_FRAGMENT_HEADER_LENGTH = 8;

/** Where the walk ended. */
export interface UpperLayer {
  /** The first header that is no extension header the walk knows. */
  protocol: number;
  /** Where that header begins. */
  start: number;
  /** Where the fragment header begins, or -1. */
  fragmentStart: number;
  /** Which byte says that the fragment header comes next, or -1 when the fixed header's does or none is there. */
  fragmentAnnouncedAt: number;
}

/**
 * Walks from the header of kind `first` at `start` and writes what it finds into `found`, which is untouched when there
 * is a fault. Behind the header of a later fragment there is no header, only the middle of one: the walk ends there.
 */
export function findUpperLayer(
  bytes: Uint8Array,
  start: number,
  end: number,
  first: number,
  found: UpperLayer,
): "truncated" | "too-many-headers" | undefined {
  let protocol = first;
  let at = start;
  let previous = -1;
  let fragmentStart = -1;
  let fragmentAnnouncedAt = -1;
  let isLaterFragment = false;
  for (let headers = 0; isExtension(protocol) && !isLaterFragment; headers++) {
    if (headers === HEADERS_MAX) return "too-many-headers";
    if (at + 2 > end) return "truncated";
    const length = extensionLength(protocol, bytes[at + 1]!);
    if (at + length > end) return "truncated";
    if (protocol === IP_PROTOCOL.fragment) {
      fragmentStart = at;
      fragmentAnnouncedAt = previous;
      isLaterFragment = readUint16(bytes, at + 2) >>> 3 !== 0;
    }
    protocol = bytes[at]!;
    previous = at;
    at += length;
  }
  found.protocol = protocol;
  found.start = at;
  found.fragmentStart = fragmentStart;
  found.fragmentAnnouncedAt = fragmentAnnouncedAt;
  return undefined;
}

/** As the kernel's ipv6_ext_hdr(), without "none": behind it there is nothing to walk to. */
function isExtension(protocol: number): boolean {
  return (
    protocol === IP_PROTOCOL.hopByHop ||
    protocol === IP_PROTOCOL.routing ||
    protocol === IP_PROTOCOL.fragment ||
    protocol === IP_PROTOCOL.authentication ||
    protocol === IP_PROTOCOL.destinationOptions
  );
}

function extensionLength(protocol: number, lengthField: number): number {
  if (protocol === IP_PROTOCOL.fragment) return IPV6_FRAGMENT_HEADER_LENGTH;
  if (protocol === IP_PROTOCOL.authentication) return (lengthField + 2) * 4;
  return (lengthField + 1) * 8;
}
