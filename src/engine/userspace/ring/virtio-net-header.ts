/**
 * What a frame still needs done to it: struct virtio_net_hdr (include/uapi/linux/virtio_net.h), as packet sockets with
 * PACKET_VNET_HDR put it in front of each frame, in both directions.
 *
 *      0       1      2               4              6                8
 *     | flags | type | header length | segment size | checksum start | checksum offset |
 *
 * Host byte order, which is little-endian on every machine that Sluice runs on.
 */

export const VIRTIO_NET_HEADER_LENGTH = 10;

const NEEDS_CHECKSUM = 1;

/** VIRTIO_NET_HDR_GSO_*. TCP types may have ECN (0x80) added. */
export const SEGMENTATION = { none: 0, tcp4: 1, udp: 3, tcp6: 4, udpL4: 5, ecn: 0x80 } as const;

/** The kernel copies as much as this to a linear buffer, and the rest to pages: the headers are in the first part. */
const LINEAR_BYTES = 192;

/** Below this a frame is linear as a whole, so that no page is taken for it. packet_alloc_skb(). */
const LINEAR_BELOW = 2048;

/** The work on a frame that its sender left to the network card, or to whoever forwards it. */
export interface Offload {
  /**
   * The transport checksum holds the pseudo-header's sum only (not inverted); the card adds the bytes from
   * `checksumStart` on and writes the complement at `checksumStart + checksumOffset`. CHECKSUM_PARTIAL.
   */
  needsChecksum: boolean;
  /** Bytes from the frame's first. */
  checksumStart: number;
  /** Bytes from `checksumStart`. */
  checksumOffset: number;
  /** One of SEGMENTATION: how the frame is to be cut into packets, when it is longer than the wire carries. */
  segmentation: number;
  /** Payload bytes of each segment (the MSS). */
  segmentSize: number;
}

/** An offload that asks for nothing. */
export function noOffload(): Offload {
  return {
    needsChecksum: false,
    checksumStart: 0,
    checksumOffset: 0,
    segmentation: SEGMENTATION.none,
    segmentSize: 0,
  };
}

export function readOffload(view: DataView, at: number, into: Offload): void {
  into.needsChecksum = (view.getUint8(at) & NEEDS_CHECKSUM) !== 0;
  into.segmentation = view.getUint8(at + 1);
  into.segmentSize = view.getUint16(at + 4, true);
  into.checksumStart = view.getUint16(at + 6, true);
  into.checksumOffset = view.getUint16(at + 8, true);
}

/** Writes the header of a frame of `length` bytes, which begins `skipped` bytes after the one that `offload` is about. */
export function writeOffload(
  view: DataView,
  at: number,
  offload: Offload,
  length: number,
  skipped = 0,
): void {
  view.setUint8(at, offload.needsChecksum ? NEEDS_CHECKSUM : 0);
  view.setUint8(at + 1, offload.segmentation);
  view.setUint16(at + 2, length < LINEAR_BELOW ? 0 : LINEAR_BYTES, true);
  view.setUint16(at + 4, offload.segmentSize, true);
  view.setUint16(at + 6, Math.max(0, offload.checksumStart - skipped), true);
  view.setUint16(at + 8, offload.checksumOffset, true);
}
