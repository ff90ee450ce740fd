/** Pieces of packets that cases write as text (packets.ts): SCTP's chunks, extension headers, tunnels. */
import { IP_PROTOCOL } from "../../src/net/ip-protocol.ts";
import type { Port } from "../../src/net/port.ts";
import { emitSctp, SCTP_HEADER_LENGTH, SctpView } from "../../src/net/sctp.ts";

interface Ports {
  readonly source: Port;
  readonly destination: Port;
}

/** RFC 9260 section 3.2, and the extensions that cases name; every other one goes by its number. */
// biome-ignore format: a table
const SCTP_CHUNKS: Readonly<Record<string, number>> = {
  "DATA": 0, "INIT": 1, "INIT-ACK": 2, "SACK": 3, "HEARTBEAT": 4, "HEARTBEAT-ACK": 5, "ABORT": 6, "SHUTDOWN": 7,
  "SHUTDOWN-ACK": 8, "ERROR": 9, "COOKIE-ECHO": 10, "COOKIE-ACK": 11, "ECNE": 12, "CWR": 13, "SHUTDOWN-COMPLETE": 14,
  "AUTH": 15, "I-DATA": 64, "ASCONF": 193,
};
const CHUNK_VALUE_LENGTH = 6;
/** Header, value, padding. */
const SCTP_CHUNK_LENGTH = 12;

/** Chunks by name or number, with the length that they claim if it is not their own: `10/3+COOKIE-ACK`. */
export function sctpOf(ports: Ports, what: string, checksum: string | undefined): Uint8Array {
  const words = what.split("+").map((word) => word.split("/"));
  const chunks = words.map(([name = ""]) => ({
    type: SCTP_CHUNKS[name] ?? Number(name),
    flags: 0,
    value: filler(CHUNK_VALUE_LENGTH),
  }));
  const bytes = emitSctp({ ...ports, verificationTag: 7 }, chunks);
  const view = Buffer.from(bytes.buffer);
  for (const [index, [, claimed]] of words.entries()) {
    const at = SCTP_HEADER_LENGTH + index * SCTP_CHUNK_LENGTH + 2;
    if (claimed !== undefined) view.writeUInt16BE(Number(claimed), at);
  }
  const sctp = SctpView.over(bytes);
  if (sctp !== "truncated") sctp.refreshChecksum();
  if (checksum === "wrong") bytes[8] = bytes[8]! ^ 0xff;
  if (checksum === "none") bytes.fill(0, 8, 12);
  return bytes;
}

/** Extension headers by the names that cases have for them: each is 8 bytes, and without effect. */
const EXTENSIONS: Readonly<Record<string, { readonly number: number; readonly rest: string }>> = {
  // Padding, RFC 8200 section 4.2.
  hop: { number: IP_PROTOCOL.hopByHop, rest: "00010400000000" },
  dst: { number: IP_PROTOCOL.destinationOptions, rest: "00010400000000" },
  // Of an experimental type, with no segments left.
  route: { number: IP_PROTOCOL.routing, rest: "00fd0000000000" },
};

interface Fragment {
  readonly from: number;
  readonly to: number;
  readonly isLast: boolean;
  readonly identification: number;
}

/** IPv6's payload and what it begins with: extension headers (`hop,dst`), then the fragment's own, then the transport. */
export function withExtensions(
  protocol: number,
  payload: Uint8Array,
  names: string | undefined,
  fragment: Fragment | undefined,
): [nextHeader: number, bytes: Uint8Array] {
  let next = protocol;
  let bytes = fragment === undefined ? payload : payload.subarray(fragment.from, fragment.to);
  if (fragment !== undefined) {
    const header = Buffer.alloc(8);
    header[0] = next;
    header.writeUInt16BE(fragment.from | (fragment.isLast ? 0 : 1), 2);
    header.writeUInt32BE(fragment.identification, 4);
    bytes = Buffer.concat([header, bytes]);
    next = IP_PROTOCOL.fragment;
  }
  for (const name of names?.split(",").toReversed() ?? []) {
    const extension = EXTENSIONS[name];
    if (extension === undefined)
      throw new SyntaxError(`Cannot read ${name} as an extension header`);
    bytes = Buffer.concat([Uint8Array.of(next), Buffer.from(extension.rest, "hex"), bytes]);
    next = extension.number;
  }
  return [next, bytes];
}

const GUE_HEADER = Buffer.from("00040000", "hex");
const GRE_HEADERS = { plain: "00000800", checksum: "8000080000000000" } as const;
/** Said to be longer than any quote: its sum is not looked at. */
const UDP_LENGTH = 500;

/** The header of a tunnel around an IPv4 packet, and its protocol; undefined when it is none of ours. */
export function tunnelHeader(
  name: string,
  ports: Ports,
  what: string,
): [protocol: number, header: Uint8Array] | undefined {
  switch (name) {
    case "ipip":
      return [IP_PROTOCOL.ipip, new Uint8Array()];
    case "ip6ip6":
      return [IP_PROTOCOL.ipv6, new Uint8Array()];
    case "gre":
      return [
        IP_PROTOCOL.gre,
        Buffer.from(GRE_HEADERS[what === "C" ? "checksum" : "plain"], "hex"),
      ];
    case "gue": {
      const udp = Buffer.alloc(8);
      udp.writeUInt16BE(ports.source, 0);
      udp.writeUInt16BE(ports.destination, 2);
      udp.writeUInt16BE(UDP_LENGTH, 4);
      return [IP_PROTOCOL.udp, Buffer.concat([udp, GUE_HEADER])];
    }
    default:
      return undefined;
  }
}

/** Bytes that are all different for a while. */
export function filler(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + 1) & 0xff);
}
