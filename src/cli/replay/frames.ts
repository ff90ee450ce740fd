/** The IP packets of a capture, in the order of their times. */
import { ETHERTYPE } from "../../net/ethernet.ts";
import { MAC_LENGTH, readMac } from "../../net/mac-address.ts";
import { isPcap, readPcap } from "../../net/pcap.ts";
import { readCapture } from "../../net/pcapng-reader.ts";
import { readUint16 } from "../../net/words.ts";

export interface RecordedPacket {
  /** Since the first packet. */
  readonly ms: number;
  /** The IP packet, what a short capture cut off filled with zeros. */
  readonly bytes: Uint8Array;
  /** Whose frame it was, and for whom, where frames say so. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly isOut: boolean;
}

/** The file is no capture, or none that can be replayed; the message says why. */
export class CaptureError extends Error {
  override readonly name = "CaptureError";
}

/** Where the EtherType stands in a frame, by link type (pcap-linktype(7)); "none": the frame is an IP packet. */
// biome-ignore format: a table
const ETHER_TYPE_AT: Readonly<Record<number, number | "none">> = {
  1: 12,             // Ethernet
  12: "none", 14: "none", 101: "none",  // raw IP
  113: 14,           // Linux' "any"
  276: 0,            // the same, version 2
};
/** How long such a frame's header is behind the EtherType. */
const BEHIND: Readonly<Record<number, number>> = { 276: 18 };

export function recordedPackets(file: Uint8Array): RecordedPacket[] {
  const capture = isPcap(file) ? readPcap(file) : readCapture(file);
  if (capture === "truncated") throw new CaptureError("the capture ends inside a packet");
  if (capture === "malformed") throw new CaptureError("it is no capture: expected pcap or pcapng");
  if (capture === "unsupported")
    throw new CaptureError("its times are in a unit that is not known");
  const { interfaces, packets } = capture;
  const recorded = packets.flatMap(
    ({ interface: number, timestamp, data, originalLength, direction }) => {
      const { linkType, resolution } = interfaces[number] ?? {
        linkType: -1,
        resolution: "microseconds",
      };
      const at = ETHER_TYPE_AT[linkType];
      if (at === undefined) {
        throw new CaptureError(
          `frames of link type ${linkType} cannot be read: expected Ethernet, raw IP or Linux' "any"`,
        );
      }
      const start = packetStart(data, linkType, at);
      if (start === undefined) return [];
      const bytes = new Uint8Array(Math.max(data.length, originalLength) - start);
      bytes.set(data.subarray(start));
      const isEthernet = linkType === 1;
      return [
        {
          ms: Number(timestamp) / (resolution === "nanoseconds" ? 1e6 : 1e3),
          bytes,
          to: isEthernet ? readMac(data, 0) : undefined,
          from: isEthernet ? readMac(data, MAC_LENGTH) : undefined,
          isOut: direction === "out",
        },
      ];
    },
  );
  const first = recorded.reduce((least, { ms }) => Math.min(least, ms), Number.POSITIVE_INFINITY);
  return recorded
    .map((each) => ({ ...each, ms: each.ms - first }))
    .sort((one, other) => one.ms - other.ms);
}

/** Undefined when there is none in the frame. */
function packetStart(
  data: Uint8Array,
  linkType: number,
  typeAt: number | "none",
): number | undefined {
  if (typeAt === "none") return 0;
  let at = typeAt;
  if (data.length < at + 2) return undefined;
  let type = readUint16(data, at);
  while (type === ETHERTYPE.vlan && data.length >= at + 6) {
    at += 4;
    type = readUint16(data, at);
  }
  const start = at + 2 + (BEHIND[linkType] ?? 0);
  const isIp = type === ETHERTYPE.ipv4 || type === ETHERTYPE.ipv6;
  return isIp && data.length > start ? start : undefined;
}
