/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet lies in at XDP: a driver's memory, which knows nothing of it but its bytes. The words of frame_tc.h.
 * docs/decisions/0023-xdp-by-choice.md has what follows from that.
 */
#ifndef SLUICE_FRAME_H
#define SLUICE_FRAME_H

#include "packet.h"

typedef struct xdp_md frame_t;

#define FRAME_PASSES XDP_PASS
#define FRAME_IS_LOST XDP_DROP

/* Written by the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CARDS_MAX);
	__type(key, __u32);
	__type(value, struct card);
} cards SEC(".maps");

/* The same, by the last bits of their indexes: of two that have the same only one is there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CARDS_MAX);
	__type(key, __u32);
	__type(value, struct card);
} near_cards SEC(".maps");

static __always_inline struct card *card_at(__u32 interface_index)
{
	__u32 last = interface_index & (CARDS_MAX - 1);
	struct card *card = bpf_map_lookup_elem(&near_cards, &last);

	return card && card->index == interface_index ? card : bpf_map_lookup_elem(&cards, &interface_index);
}

static __always_inline bool is_same_link_address(const __u8 *one, const __u8 *other)
{
	return *(__u32 *)one == *(__u32 *)other && *(__u16 *)(one + 4) == *(__u16 *)(other + 4);
}

/* By its address, because nobody has looked at the frame before. */
static __always_inline bool is_for_host(const frame_t *frame, struct packet *packet)
{
	struct card *card = card_at(frame->ingress_ifindex);
	struct ethhdr *ethernet = (void *)(long)frame->data;

	if (!card || (void *)(ethernet + 1) > (void *)(long)frame->data_end)
		return false;
	packet->card = card->flags;
	return is_same_link_address(ethernet->h_dest, card->address);
}

static __always_inline __u32 frame_length(const frame_t *frame)
{
	return frame->data_end - frame->data;
}

/* A super-packet is longer than any way takes, or has an unfinished checksum: the stack's. */
static __always_inline __u32 segment_size(UNUSED const frame_t *frame)
{
	return 0;
}

/* What a driver is given that does not take it is lost, and nobody told. */
static __always_inline bool can_leave(const frame_t *frame, const struct packet *packet, __u32 departure)
{
	struct card *card;

	if (packet->card & CARD_GENERIC)
		return true;
	if (departure == frame->ingress_ifindex && packet->card & CARD_TURNS)
		return true;
	card = card_at(departure);
	return card && card->flags & CARD_SENDS;
}

/* NULL where the frame ends before it. */
static __always_inline __sum16 *transport_sum(const frame_t *frame, const struct packet *packet)
{
	void *transport = (void *)(long)frame->data + sizeof(struct ethhdr);
	__sum16 *sum;

	transport += packet->flow.family == 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
	sum = transport + (packet->flow.protocol == IPPROTO_UDP ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT);
	return (void *)(sum + 1) > (void *)(long)frame->data_end ? NULL : sum;
}

/*
 * Whether the sender left the checksum to its card, which was none: then there is the pseudo header's alone (CHECKSUM_PARTIAL in
 * include/linux/skbuff.h). One of 65,536 finished ones looks the same.
 */
static __always_inline bool is_unfinished(const frame_t *frame, const struct packet *packet)
{
	__sum16 *found = transport_sum(frame, packet);

	return !found || *found == pseudo_sum(packet, 0);
}

static __always_inline long read_bytes(frame_t *frame, __u32 at, void *into, __u32 length)
{
	return bpf_xdp_load_bytes(frame, at, into, length);
}

/* `length`: known when it is compiled. */
static __always_inline long write_bytes(frame_t *frame, __u32 at, const void *from, __u32 length, UNUSED __u64 flags)
{
	void *to = (void *)(long)frame->data + at;

	if (to + length > (void *)(long)frame->data_end)
		return -1;
	__builtin_memcpy(to, from, length);
	return 0;
}

/* A card's sum does not come with the frame. */
static __always_inline void change_card_sum(UNUSED frame_t *frame, UNUSED __u32 change)
{
}

static __always_inline int cut_to(frame_t *frame, __u32 length)
{
	__u32 is = frame_length(frame);

	return is > length && bpf_xdp_adjust_tail(frame, (int)(length - is)) ? -1 : 0;
}

/* RFC 768: a checksum that comes out as zero is sent as all ones. */
static __always_inline __u16 sent_sum(__u16 sum, bool is_udp)
{
	return is_udp && sum == 0 ? 0xffff : sum;
}

/* inet_proto_csum_replace4() and its kin in net/core/utils.c, of a checksum that is finished. */
static __always_inline int replace_in_transport_sum(frame_t *frame, const struct packet *packet, __be32 before,
						    __be32 after, __u32 length, __be16 port_before, __be16 port_after)
{
	bool is_udp = packet->flow.protocol == IPPROTO_UDP;
	__sum16 *sum = transport_sum(frame, packet);
	__u64 total;

	if (!sum)
		return -1;
	total = (__u64)(__u16)~*sum + (length ? (__u32)~before : 0) + after;
	*sum = sent_sum(~folded(total), is_udp);
	if (port_before != port_after)
		*sum = sent_sum(sum_after(*sum, port_before, port_after), is_udp);
	return 0;
}

/* The link's addresses go along; who writes into the room writes the type. */
static __always_inline long make_room(frame_t *frame, const struct tunnel *tunnel)
{
	void *ethernet = (void *)(long)frame->data;
	__u64 begins;
	__u32 ends;

	if (ethernet + sizeof(struct ethhdr) > (void *)(long)frame->data_end)
		return -1;
	begins = *(whole_t *)ethernet;
	ends = *((half_t *)ethernet + 2);
	if (bpf_xdp_adjust_head(frame, -(int)tunnel->overhead))
		return -1;
	ethernet = (void *)(long)frame->data;
	if (ethernet + sizeof(struct ethhdr) > (void *)(long)frame->data_end)
		return -1;
	*(whole_t *)ethernet = begins;
	*((half_t *)ethernet + 2) = ends;
	return 0;
}

static __always_inline int send_frame(const frame_t *frame, const struct packet *packet, __u32 departure)
{
	if (departure == frame->ingress_ifindex && packet->card & CARD_TURNS)
		return XDP_TX;
	return bpf_redirect(departure, 0);
}

#endif /* SLUICE_FRAME_H */
