/* SPDX-License-Identifier: GPL-2.0-only */
/* Sends a packet on as its connection says: addresses and ports, time to live, the link's addresses. */
#ifndef SLUICE_FORWARD_H
#define SLUICE_FORWARD_H

#include "abi.h"
#include "parse.h"

#define ADDRESS_IPV4_LENGTH 4
#define ADDRESS_IPV6_LENGTH 16

/* What is written in an address's and a port's place. */
struct end {
	__be32 address[4];
	__be16 port;
};

/* How a packet goes on. */
struct passage {
	struct way way;
	struct end end; /* what is written into the packet, if anything is */
	__u32 destination;
	__u8 state;
	bool is_new;	 /* it opened its connection */
	bool is_news;	 /* the director is to hear of its connection */
};

/* Where the address and the port lie that are rewritten, from the frame's beginning. */
struct places {
	__u32 address;
	__u32 port;
};

static __always_inline struct places places_of(const struct packet *packet, bool is_source)
{
	__u32 ip = sizeof(struct ethhdr);

	if (packet->flow.family == 4)
		return (struct places){
			.address = ip + (is_source ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr)),
			.port = packet->transport_at + (is_source ? 0 : 2),
		};
	return (struct places){
		.address = ip + (is_source ? offsetof(struct ipv6hdr, saddr) : offsetof(struct ipv6hdr, daddr)),
		.port = packet->transport_at + (is_source ? 0 : 2),
	};
}

/* Negative when the packet cannot be written to: there is no memory for a copy of its own, and it is lost. */
static __always_inline int rewrite_ipv4(struct __sk_buff *skb, const struct packet *packet, const struct end *end,
					bool is_source)
{
	struct places at = places_of(packet, is_source);
	bool is_udp = packet->flow.protocol == IPPROTO_UDP;
	__u32 checksum = packet->transport_at + (is_udp ? 6 : 16);
	__u64 mangled = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
	__be32 before = is_source ? packet->flow.source[3] : packet->flow.destination[3];
	__be16 port = is_source ? packet->flow.source_port : packet->flow.destination_port;

	if (bpf_l4_csum_replace(skb, checksum, before, end->address[3], BPF_F_PSEUDO_HDR | mangled | 4))
		return -1;
	bpf_l4_csum_replace(skb, checksum, port, end->port, mangled | 2);
	bpf_l3_csum_replace(skb, sizeof(struct ethhdr) + offsetof(struct iphdr, check), before, end->address[3], 4);
	if (bpf_skb_store_bytes(skb, at.address, &end->address[3], ADDRESS_IPV4_LENGTH, 0))
		return -1;
	return bpf_skb_store_bytes(skb, at.port, &end->port, sizeof(end->port), 0);
}

static __always_inline int rewrite_ipv6(struct __sk_buff *skb, const struct packet *packet, struct end *end,
					bool is_source)
{
	struct places at = places_of(packet, is_source);
	bool is_udp = packet->flow.protocol == IPPROTO_UDP;
	__u32 checksum = packet->transport_at + (is_udp ? 6 : 16);
	__u64 mangled = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
	__be32 *before = is_source ? (__be32 *)packet->flow.source : (__be32 *)packet->flow.destination;
	__be16 port = is_source ? packet->flow.source_port : packet->flow.destination_port;
	__s64 change = bpf_csum_diff(before, ADDRESS_IPV6_LENGTH, end->address, ADDRESS_IPV6_LENGTH, 0);

	if (bpf_l4_csum_replace(skb, checksum, 0, change, BPF_F_PSEUDO_HDR | mangled))
		return -1;
	bpf_l4_csum_replace(skb, checksum, port, end->port, mangled | 2);
	if (bpf_skb_store_bytes(skb, at.address, end->address, ADDRESS_IPV6_LENGTH, 0))
		return -1;
	return bpf_skb_store_bytes(skb, at.port, &end->port, sizeof(end->port), 0);
}

static __always_inline int rewrite(struct __sk_buff *skb, const struct packet *packet, struct end *end, bool is_source)
{
	if (packet->flow.family == 4)
		return rewrite_ipv4(skb, packet, end, is_source);
	return rewrite_ipv6(skb, packet, end, is_source);
}

/* ip_decrease_ttl(); IPv6 has no checksum of its header, but the card's sum of the packet is kept right. */
static __always_inline int spend_time_to_live(struct __sk_buff *skb, const struct packet *packet)
{
	__u32 at = sizeof(struct ethhdr);
	__u8 left = packet->time_to_live - 1;
	__be16 before, after;

	if (packet->flow.family == 6) {
		at += offsetof(struct ipv6hdr, hop_limit);
		return bpf_skb_store_bytes(skb, at, &left, sizeof(left), BPF_F_RECOMPUTE_CSUM);
	}
	/* Time to live and protocol are a word of the checksum. */
	before = bpf_htons(packet->time_to_live << 8 | packet->flow.protocol);
	after = bpf_htons(left << 8 | packet->flow.protocol);
	bpf_l3_csum_replace(skb, at + offsetof(struct iphdr, check), before, after, 2);
	return bpf_skb_store_bytes(skb, at + offsetof(struct iphdr, ttl), &left, sizeof(left), 0);
}

/* A card's or a sender's offload: the segments that the packet becomes are what must fit. */
static __always_inline bool fits(const struct __sk_buff *skb, const struct packet *packet, const struct way *way)
{
	if (skb->gso_size == 0)
		return packet->length <= way->mtu;
	return skb->gso_size + packet->header_length <= way->mtu;
}

/* Whether nobody must be told about a packet, and nothing but its addresses changes on its way. */
static __always_inline enum verdict check_way(const struct __sk_buff *skb, const struct packet *packet,
					      const struct way *way, bool is_rewritten, __u32 generation)
{
	if (way->generation != generation)
		return VERDICT_PASS_NO_WAY;
	if (packet->has_no_checksum && is_rewritten)
		return VERDICT_PASS_NO_CHECKSUM;
	/* Whoever had it in the lane has taken one already. */
	if (packet->time_to_live <= (packet->is_from_lane ? 0 : 1))
		return VERDICT_PASS_TIME_TO_LIVE;
	if (!fits(skb, packet, way))
		return VERDICT_PASS_TOO_BIG;
	return VERDICT_GO_ON;
}

/* The packet leaves by `way`. Its addresses are right; what a link filled a short frame with is no part of it. */
static __always_inline int send_by(struct __sk_buff *skb, const struct packet *packet, const struct way *way)
{
	__u32 length = sizeof(struct ethhdr) + packet->length;

	if (skb->gso_size == 0 && skb->len > length && bpf_skb_change_tail(skb, length, 0))
		return -1;
	if (!packet->is_from_lane && spend_time_to_live(skb, packet) < 0)
		return -1;
	return bpf_skb_store_bytes(skb, 0, way->link_addresses, sizeof(way->link_addresses), 0);
}

#endif /* SLUICE_FORWARD_H */
