/* SPDX-License-Identifier: GPL-2.0-only */
/* Sends a packet on as its flow says: addresses and ports, time to live, the link's addresses. */
#ifndef SLUICE_FORWARD_H
#define SLUICE_FORWARD_H

#include "parse.h"

#define ADDRESS_IPV4_LENGTH 4
#define ADDRESS_IPV6_LENGTH 16

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
static __always_inline int rewrite_ipv4(struct __sk_buff *skb, const struct packet *packet, const struct flow *flow,
					bool is_source)
{
	struct places at = places_of(packet, is_source);
	bool is_udp = packet->flow.protocol == IPPROTO_UDP;
	__u32 checksum = packet->transport_at + (is_udp ? 6 : 16);
	__u64 mangled = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
	__be32 before = is_source ? packet->flow.source[3] : packet->flow.destination[3];
	__be16 port = is_source ? packet->flow.source_port : packet->flow.destination_port;

	if (bpf_l4_csum_replace(skb, checksum, before, flow->address[3], BPF_F_PSEUDO_HDR | mangled | 4))
		return -1;
	bpf_l4_csum_replace(skb, checksum, port, flow->port, mangled | 2);
	bpf_l3_csum_replace(skb, sizeof(struct ethhdr) + offsetof(struct iphdr, check), before, flow->address[3], 4);
	if (bpf_skb_store_bytes(skb, at.address, &flow->address[3], ADDRESS_IPV4_LENGTH, 0))
		return -1;
	return bpf_skb_store_bytes(skb, at.port, &flow->port, sizeof(flow->port), 0);
}

static __always_inline int rewrite_ipv6(struct __sk_buff *skb, const struct packet *packet, struct flow *flow,
					bool is_source)
{
	struct places at = places_of(packet, is_source);
	bool is_udp = packet->flow.protocol == IPPROTO_UDP;
	__u32 checksum = packet->transport_at + (is_udp ? 6 : 16);
	__u64 mangled = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
	__be32 *before = is_source ? (__be32 *)packet->flow.source : (__be32 *)packet->flow.destination;
	__be16 port = is_source ? packet->flow.source_port : packet->flow.destination_port;
	__s64 change = bpf_csum_diff(before, ADDRESS_IPV6_LENGTH, flow->address, ADDRESS_IPV6_LENGTH, 0);

	if (bpf_l4_csum_replace(skb, checksum, 0, change, BPF_F_PSEUDO_HDR | mangled))
		return -1;
	bpf_l4_csum_replace(skb, checksum, port, flow->port, mangled | 2);
	if (bpf_skb_store_bytes(skb, at.address, flow->address, ADDRESS_IPV6_LENGTH, 0))
		return -1;
	return bpf_skb_store_bytes(skb, at.port, &flow->port, sizeof(flow->port), 0);
}

static __always_inline int rewrite(struct __sk_buff *skb, const struct packet *packet, struct flow *flow, bool is_source)
{
	if (packet->flow.family == 4)
		return rewrite_ipv4(skb, packet, flow, is_source);
	return rewrite_ipv6(skb, packet, flow, is_source);
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

static __always_inline void count_flow(const struct packet *packet, struct flow *flow, bool is_reply)
{
	__u32 index = flow->counter;
	struct counter *counter = bpf_map_lookup_elem(&counters, &index);

	flow->seen = bpf_ktime_get_coarse_ns();
	__sync_fetch_and_add(&flow->packets, 1);
	if (!counter)
		return;
	if (is_reply) {
		__sync_fetch_and_add(&counter->out_packets, 1);
		__sync_fetch_and_add(&counter->out_bytes, packet->length);
	} else {
		__sync_fetch_and_add(&counter->in_packets, 1);
		__sync_fetch_and_add(&counter->in_bytes, packet->length);
	}
}

#endif /* SLUICE_FORWARD_H */
