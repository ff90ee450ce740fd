/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet lies in at tc: a socket buffer. Whoever includes this has all other headers speak of it; frame_xdp.h says the
 * same words for a driver's memory.
 */
#ifndef SLUICE_FRAME_H
#define SLUICE_FRAME_H

#include "packet.h"

typedef struct __sk_buff frame_t;

/* A transport's checksum lies within so many bytes of a frame. */
#define FIRST_HEADERS_MASK 0x7f

#define FRAME_PASSES TC_ACT_UNSPEC
#define FRAME_IS_LOST TC_ACT_SHOT

/* A tag that the card took out says that the frame is another interface's. */
static __always_inline bool is_for_host(const frame_t *frame, UNUSED struct packet *packet)
{
	return frame->pkt_type == PACKET_HOST && !frame->vlan_present;
}

static __always_inline __u32 frame_length(const frame_t *frame)
{
	return frame->len;
}

/* Of a super-packet: how much of its data the card, or who receives it, is to put into a segment; 0 of others. */
static __always_inline __u32 segment_size(const frame_t *frame)
{
	return frame->gso_size;
}

/* Every interface sends socket buffers, and finishes a checksum that was left to it. */
static __always_inline bool can_leave(UNUSED const frame_t *frame, UNUSED const struct packet *packet,
				      UNUSED __u32 departure)
{
	return true;
}

static __always_inline bool is_unfinished(UNUSED const frame_t *frame, UNUSED const struct packet *packet)
{
	return false;
}

static __always_inline long read_bytes(frame_t *frame, __u32 at, void *into, __u32 length)
{
	return bpf_skb_load_bytes(frame, at, into, length);
}

/* Of what the card summed up, unless `flags` are 0. */
static __always_inline long write_bytes(frame_t *frame, __u32 at, const void *from, __u32 length, __u64 flags)
{
	return bpf_skb_store_bytes(frame, at, from, length, flags);
}

/* The card's sum of the packet is kept right where no checksum in the packet makes up for a change. */
static __always_inline void change_card_sum(frame_t *frame, __u32 change)
{
	bpf_csum_update(frame, change);
}

/* What a link filled a short frame with goes. Negative when there is no memory. */
static __always_inline int cut_to(frame_t *frame, __u32 length)
{
	if (frame->len > length && frame->gso_size == 0 && bpf_skb_change_tail(frame, length, 0))
		return -1;
	return 0;
}

/* Of a whole checksum. Nothing else in the packet makes up for an address, which the card has not summed up with it. */
static __always_inline void replace_in_whole_sum(frame_t *frame, __sum16 *checksum, bool is_udp, __u64 change,
						 __be16 port_before, __be16 port_after)
{
	__u16 addresses = folded(change);
	__sum16 next = sum_changed(*checksum, (__u64)addresses + (__u16)~port_before + port_after);

	*checksum = is_udp && next == 0 ? 0xffff : next;
	change_card_sum(frame, (__u16)~addresses);
}

/* Sure of all but super-packets, of whose length senders leave there what they like; one whole checksum of 32,768 looks the same. */
static __always_inline bool is_whole(const frame_t *frame, const struct packet *packet, __u32 length, __sum16 checksum)
{
	__u16 unfinished = pseudo_sum(packet, length == ADDRESS_IPV4_LENGTH ? 3 : 0);

	return frame->gso_size == 0 && checksum != unfinished && (checksum ^ unfinished) != 0xffff;
}

/*
 * The transport's checksum; by the kernel, where it may be the card's to finish. Negative when the packet cannot be written to:
 * there is no memory for a copy of its own, and it is lost.
 */
static __always_inline int replace_in_transport_sum(frame_t *frame, const struct packet *packet, __be32 before,
						    __be32 after, __u32 length, __be16 port_before, __be16 port_after)
{
	bool is_udp = packet->flow.protocol == IPPROTO_UDP;
	__u32 at = (packet->transport_at + (is_udp ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT)) & FIRST_HEADERS_MASK;
	__u64 mangled = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
	__sum16 *checksum = (void *)(long)frame->data + at;

	if ((void *)(checksum + 1) <= (void *)(long)frame->data_end && is_whole(frame, packet, length, *checksum)) {
		replace_in_whole_sum(frame, checksum, is_udp, (__u64)(__u32)~before + after, port_before, port_after);
		return 0;
	}
	if (bpf_l4_csum_replace(frame, at, before, after, BPF_F_PSEUDO_HDR | mangled | length))
		return -1;
	return port_before == port_after ? 0 : bpf_l4_csum_replace(frame, at, port_before, port_after, mangled | 2);
}

/* What tells the kernel where the packet inside begins, for those who cut super-packets up. */
static __always_inline __u64 room_flags(const struct tunnel *tunnel)
{
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;

	flags |= tunnel->family == 4 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
	if (tunnel->encapsulation == ENCAPSULATION_GRE)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_GRE;
	if (tunnel->encapsulation == ENCAPSULATION_GUE)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_UDP;
	return flags;
}

/* Behind the frame's own header, for a tunnel's. */
static __always_inline long make_room(frame_t *frame, const struct tunnel *tunnel)
{
	return bpf_skb_adjust_room(frame, tunnel->overhead, BPF_ADJ_ROOM_MAC, room_flags(tunnel));
}

static __always_inline int send_frame(UNUSED const frame_t *frame, UNUSED const struct packet *packet, __u32 departure)
{
	return bpf_redirect(departure, 0);
}

#endif /* SLUICE_FRAME_H */
