/**
 * Where frames lie in the receive ring.
 *
 * Slots of one size, TPACKET_V2. Each holds the largest frame that segmentation offload makes, 64 KiB. A slot begins
 * with struct tpacket2_hdr and struct sockaddr_ll; tpacket_rcv() puts the frame after them, the reserved headroom and
 * the struct virtio_net_hdr.
 */

/** PACKET_RESERVE: bytes before each frame that may be written, those for a struct virtio_net_hdr included. */
export const HEADROOM = 128;

/**
 * 64 KiB of packet, and the headers before it. Not a multiple of a large power of two, so that the beginnings of
 * frames do not all compete for the same lines of the processor's cache.
 */
export const SLOT_LENGTH = 0x1_0100;

/**
 * The kernel wants a block in one piece. Larger ones waste less (a slot never crosses a block's end: an eighth of these),
 * but where memory is in use since long it takes the kernel 0.2 s to make room for 32 of 2 MiB, and 0.02 s for these.
 */
export const BLOCK_LENGTH = 0x8_0000;
export const FRAMES_PER_BLOCK = Math.floor(BLOCK_LENGTH / SLOT_LENGTH);

export function slotStart(slot: number): number {
  const block = Math.floor(slot / FRAMES_PER_BLOCK);
  return block * BLOCK_LENGTH + (slot - block * FRAMES_PER_BLOCK) * SLOT_LENGTH;
}
