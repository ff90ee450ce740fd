/* SPDX-License-Identifier: GPL-2.0-only */
/* Sends a packet on as its connection says: addresses and ports, time to live, the link's addresses. */
#ifndef SLUICE_FORWARD_H
#define SLUICE_FORWARD_H

#include "abi.h"
#include "parse.h"

#define ADDRESS_IPV4_LENGTH 4
#define ADDRESS_IPV6_LENGTH 16
/* A transport's checksum lies within so many bytes of a frame. */
#define FIRST_HEADERS_MASK 0x7f

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
	__u16 overhead; /* of the tunnel that it is in */
	bool is_new;	 /* it opened its connection */
	bool is_single;	 /* its connection ends with it */
	bool is_news;	 /* the director is to hear of its connection */
};

/* RFC 1624, equation 3: a checksum after a word of what it covers has become another. */
static __always_inline __sum16 sum_after(__sum16 sum, __be16 before, __be16 after)
{
	__u32 next = (__u16)~sum + (__u16)~before + after;

	next = (next & 0xffff) + (next >> 16);
	return ~((next & 0xffff) + (next >> 16));
}

static __always_inline __u16 folded(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
#pragma unroll
	for (int step = 0; step < 3; step++)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The same, of several words at once: `change` is the sum of what they have become, and of the complements of what they were. */
static __always_inline __sum16 sum_changed(__sum16 sum, __u64 change)
{
	return ~folded((__u16)~sum + change);
}

/*
 * Whether the checksum is the pseudo header's alone, as a sender leaves it to the card to finish (tcp_v4_send_check()), or by
 * chance equals that. `first`: of an address's words.
 */
static __always_inline bool may_be_unfinished(const struct packet *packet, int first, __sum16 checksum)
{
	__u32 length = packet->length + sizeof(struct ethhdr) - packet->transport_at;
	__u64 sum = (__u64)bpf_htons(length) + bpf_htons(packet->flow.protocol);

#pragma unroll
	for (int word = 0; word < 4; word++)
		if (word >= first)
			sum += (__u64)packet->flow.source[word] + packet->flow.destination[word];
	sum = folded(sum);
	return sum == checksum || (sum ^ checksum) == 0xffff;
}

/* Of a whole checksum. Nothing else in the packet makes up for an address, which the card has not summed up with it. */
static __always_inline void replace_in_whole_sum(struct __sk_buff *skb, __sum16 *checksum, bool is_udp, __u64 change,
						 __be16 port_before, __be16 port_after)
{
	__u16 addresses = folded(change);
	__sum16 next = sum_changed(*checksum, (__u64)addresses + (__u16)~port_before + port_after);

	*checksum = is_udp && next == 0 ? 0xffff : next;
	bpf_csum_update(skb, (__u16)~addresses);
}

/*
 * The transport's checksum; by the kernel, where it may be the card's to finish. Negative when the packet cannot be written to:
 * there is no memory for a copy of its own, and it is lost.
 */
static __always_inline int replace_in_transport_sum(struct __sk_buff *skb, const struct packet *packet,
						    __be32 before, __be32 after, __u32 length, __be16 port_before,
						    __be16 port_after)
{
	bool is_udp = packet->flow.protocol == IPPROTO_UDP;
	__u32 at = (packet->transport_at + (is_udp ? 6 : 16)) & FIRST_HEADERS_MASK;
	__u64 mangled = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
	__sum16 *checksum = (void *)(long)skb->data + at;

	/* What the sender left of a super-packet's length is its own affair. */
	if (skb->gso_size == 0 && (void *)(checksum + 1) <= (void *)(long)skb->data_end &&
	    !may_be_unfinished(packet, length == ADDRESS_IPV4_LENGTH ? 3 : 0, *checksum)) {
		replace_in_whole_sum(skb, checksum, is_udp, (__u64)(__u32)~before + after, port_before, port_after);
		return 0;
	}
	if (bpf_l4_csum_replace(skb, at, before, after, BPF_F_PSEUDO_HDR | mangled | length))
		return -1;
	return port_before == port_after ? 0 : bpf_l4_csum_replace(skb, at, port_before, port_after, mangled | 2);
}

static __always_inline int rewrite_ipv4(struct __sk_buff *skb, const struct packet *packet, const struct end *end,
					bool is_source)
{
	__be32 before = is_source ? packet->flow.source[3] : packet->flow.destination[3];
	__be16 port = is_source ? packet->flow.source_port : packet->flow.destination_port;
	__be32 after = end->address[3];
	struct iphdr *ip;
	__be16 *ports;

	if (replace_in_transport_sum(skb, packet, before, after, ADDRESS_IPV4_LENGTH, port, end->port))
		return -1;
	ip = (void *)(long)skb->data + sizeof(struct ethhdr);
	ports = (void *)(ip + 1);
	if ((void *)(ports + 2) > (void *)(long)skb->data_end)
		return -1;
	*(is_source ? &ip->saddr : &ip->daddr) = after;
	ip->check = sum_changed(ip->check, (__u64)(__u32)~before + after);
	ports[is_source ? 0 : 1] = end->port;
	return 0;
}

static __always_inline int rewrite_ipv6(struct __sk_buff *skb, const struct packet *packet, struct end *end,
					bool is_source)
{
	__be32 *before = is_source ? (__be32 *)packet->flow.source : (__be32 *)packet->flow.destination;
	__be16 port = is_source ? packet->flow.source_port : packet->flow.destination_port;
	__s64 change = bpf_csum_diff(before, ADDRESS_IPV6_LENGTH, end->address, ADDRESS_IPV6_LENGTH, 0);
	struct ipv6hdr *ip;
	__be16 *ports;

	if (replace_in_transport_sum(skb, packet, 0, change, 0, port, end->port))
		return -1;
	ip = (void *)(long)skb->data + sizeof(struct ethhdr);
	ports = (void *)(ip + 1);
	if ((void *)(ports + 2) > (void *)(long)skb->data_end)
		return -1;
	__builtin_memcpy(is_source ? &ip->saddr : &ip->daddr, end->address, ADDRESS_IPV6_LENGTH);
	ports[is_source ? 0 : 1] = end->port;
	return 0;
}

static __always_inline int rewrite(struct __sk_buff *skb, const struct packet *packet, struct end *end, bool is_source)
{
	if (packet->flow.family == 4)
		return rewrite_ipv4(skb, packet, end, is_source);
	return rewrite_ipv6(skb, packet, end, is_source);
}

/* ip_decrease_ttl(). Time to live and protocol are a word of the checksum. */
static __always_inline void spend_ipv4(struct iphdr *ip)
{
	__be16 before = *(__be16 *)&ip->ttl;

	ip->ttl--;
	ip->check = sum_after(ip->check, before, *(__be16 *)&ip->ttl);
}

/* IPv6 has no checksum of its header, but the card's sum of the packet is kept right. */
static __always_inline void spend_ipv6(struct __sk_buff *skb, struct ipv6hdr *ip)
{
	__be16 before = *(__be16 *)&ip->nexthdr;

	ip->hop_limit--;
	bpf_csum_update(skb, (__u16)~before + *(__be16 *)&ip->nexthdr);
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

/* The packet leaves by `way`. Its addresses are right; what a link filled a short frame with is no part of it. */
static __always_inline int send_by(struct __sk_buff *skb, const struct packet *packet, const struct way *way)
{
	__u32 length = sizeof(struct ethhdr) + packet->length;
	struct ethhdr *ethernet;
	void *ip;

	if (skb->len > length && skb->gso_size == 0 && bpf_skb_change_tail(skb, length, 0))
		return -1;
	ethernet = (void *)(long)skb->data;
	ip = ethernet + 1;
	if (ip + IPV4_HEADER_LENGTH > (void *)(long)skb->data_end)
		return -1;
	__builtin_memcpy(ethernet, way->link_addresses, sizeof(way->link_addresses));
	if (packet->flow.family == 6 && !packet->is_from_lane)
		spend_ipv6(skb, ip);
	else if (packet->flow.family == 4 && packet->is_from_lane)
		restore_ipv4(ip, packet);
	else if (packet->flow.family == 4)
		spend_ipv4(ip);
	return 0;
}

#endif /* SLUICE_FORWARD_H */
