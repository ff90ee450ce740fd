/* SPDX-License-Identifier: GPL-2.0-only */
/* Sends a packet on as its connection says: addresses and ports, time to live, the link's addresses. */
#ifndef SLUICE_FORWARD_H
#define SLUICE_FORWARD_H

#include "parse.h"


/* What is written in an address's and a port's place. */
struct end {
	__be32 address[4];
	__be16 port;
};

/* How a packet goes on. */
struct passage {
	struct way way;
	struct end end; /* what is written into the packet, if anything is */
	const struct record *connection; /* that was advanced; or NULL */
	__u16 overhead; /* of the tunnel that it is in */
	bool is_new;	 /* it opened its connection */
	bool is_single;	 /* its connection ends with it */
	bool is_news;	 /* the director is to hear of its connection */
};

static __always_inline int rewrite_ipv4(frame_t *frame, const struct packet *packet, const struct end *end,
					bool is_source)
{
	__be32 before = is_source ? packet->flow.source[3] : packet->flow.destination[3];
	__be16 port = is_source ? packet->flow.source_port : packet->flow.destination_port;
	__be32 after = end->address[3];
	struct iphdr *ip;
	__be16 *ports;

	if (replace_in_transport_sum(frame, packet, before, after, ADDRESS_IPV4_LENGTH, port, end->port))
		return -1;
	ip = (void *)(long)frame->data + sizeof(struct ethhdr);
	ports = (void *)(ip + 1);
	if ((void *)(ports + 2) > (void *)(long)frame->data_end)
		return -1;
	*(is_source ? &ip->saddr : &ip->daddr) = after;
	ip->check = sum_changed(ip->check, (__u64)(__u32)~before + after);
	ports[is_source ? 0 : 1] = end->port;
	return 0;
}

/* csum_partial(): what a sum of words gains when an address takes another's place. */
static __always_inline __u32 address_change(const __be32 *before, const __be32 *after)
{
	__u64 sum = 0;

#pragma unroll
	for (int word = 0; word < 4; word++)
		sum += (__u64)(__u32)~before[word] + after[word];
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline int rewrite_ipv6(frame_t *frame, const struct packet *packet, struct end *end,
					bool is_source)
{
	const __be32 *before = is_source ? packet->flow.source : packet->flow.destination;
	__be16 port = is_source ? packet->flow.source_port : packet->flow.destination_port;
	__u32 change = address_change(before, end->address);
	struct ipv6hdr *ip;
	__be16 *ports;

	if (replace_in_transport_sum(frame, packet, 0, change, 0, port, end->port))
		return -1;
	ip = (void *)(long)frame->data + sizeof(struct ethhdr);
	ports = (void *)(ip + 1);
	if ((void *)(ports + 2) > (void *)(long)frame->data_end)
		return -1;
	__builtin_memcpy(is_source ? &ip->saddr : &ip->daddr, end->address, ADDRESS_IPV6_LENGTH);
	ports[is_source ? 0 : 1] = end->port;
	return 0;
}

static __always_inline int rewrite(frame_t *frame, const struct packet *packet, struct end *end, bool is_source)
{
	if (packet->flow.family == 4)
		return rewrite_ipv4(frame, packet, end, is_source);
	return rewrite_ipv6(frame, packet, end, is_source);
}

/* ip_decrease_ttl() in include/net/ip.h: what the header's sum loses, its complement gains, and a carry comes round. */
static __always_inline void spend_ipv4(struct iphdr *ip)
{
	__u32 check = ip->check + bpf_htons(0x0100);

	ip->ttl--;
	ip->check = check + (check >= 0xffff);
}

/* IPv6 has no checksum of its header. */
static __always_inline void spend_ipv6(frame_t *frame, struct ipv6hdr *ip)
{
	__be16 before = *(__be16 *)&ip->nexthdr;

	ip->hop_limit--;
	change_card_sum(frame, (__u16)~before + *(__be16 *)&ip->nexthdr);
}

/* A card's or a sender's offload: the segments that the packet becomes are what must fit. */
static __always_inline bool fits(const frame_t *frame, const struct packet *packet, const struct way *way)
{
	__u32 segment = segment_size(frame);

	return (segment == 0 ? packet->length : segment + packet->header_length) <= way->mtu;
}

/* Whether nobody must be told about a packet, and nothing but its addresses changes on its way. */
static __always_inline enum verdict check_way(const frame_t *frame, const struct packet *packet,
					      const struct way *way, bool is_rewritten, __u32 generation)
{
	if (way->generation != generation)
		return VERDICT_PASS_NO_WAY;
	if (packet->has_no_checksum && is_rewritten)
		return VERDICT_PASS_NO_CHECKSUM;
	/* Whoever had it in the lane has taken one already. */
	if (packet->time_to_live <= (packet->is_from_lane ? 0 : 1))
		return VERDICT_PASS_TIME_TO_LIVE;
	if (!fits(frame, packet, way))
		return VERDICT_PASS_TOO_BIG;
	if (!can_leave(frame, packet, way->departure))
		return VERDICT_PASS_NO_XDP;
	if (is_unfinished(frame, packet))
		return VERDICT_PASS_UNFINISHED;
	return VERDICT_GO_ON;
}

/*
 * What the way into the lane took: nft's dup has set "don't fragment" and made the checksum; of a packet that came without, the
 * bit was taken again and the sum stayed. The time to live is one less at LOCAL_IN, which is what forwarding takes.
 */
static __always_inline void restore_ipv4(struct iphdr *ip, const struct packet *packet)
{
	__be16 summed = ip->frag_off | bpf_htons(IPV4_DONT_FRAGMENT);
	__be16 right = packet->dont_fragment ? summed : ip->frag_off & ~bpf_htons(IPV4_DONT_FRAGMENT);

	ip->frag_off = right;
	ip->check = sum_after(ip->check, summed, right);
}

/* Both at once, wherever the frame begins: no byte for itself. */
static __always_inline void write_link_addresses(struct ethhdr *ethernet, const struct way *way)
{
	*(whole_t *)ethernet = *(const whole_t *)way->link_addresses;
	*((half_t *)ethernet + 2) = *((const half_t *)way->link_addresses + 2);
}

/* The packet leaves by `way`. Its addresses are right; what a link filled a short frame with is no part of it. */
static __always_inline int send_by(frame_t *frame, const struct packet *packet, const struct way *way)
{
	__u32 length = sizeof(struct ethhdr) + packet->length;
	struct ethhdr *ethernet;
	void *ip;

	if (cut_to(frame, length) < 0)
		return -1;
	ethernet = (void *)(long)frame->data;
	ip = ethernet + 1;
	if (ip + IPV4_HEADER_LENGTH > (void *)(long)frame->data_end)
		return -1;
	write_link_addresses(ethernet, way);
	if (packet->flow.family == 6 && !packet->is_from_lane)
		spend_ipv6(frame, ip);
	else if (packet->flow.family == 4 && packet->is_from_lane)
		restore_ipv4(ip, packet);
	else if (packet->flow.family == 4)
		spend_ipv4(ip);
	return 0;
}

#endif /* SLUICE_FORWARD_H */
