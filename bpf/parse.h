/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a frame: nearly every bounds check of the programs, and nothing else. */
#ifndef SLUICE_PARSE_H
#define SLUICE_PARSE_H

#include "packet.h"

/* An address as one number: ip_vs_sh_hashkey() and its kin. */
static __always_inline __u32 fold(const __be32 *address)
{
	return bpf_ntohl(address[0] ^ address[1] ^ address[2] ^ address[3]);
}

struct tcp_start {
	__be16 source;
	__be16 destination;
	__be32 sequence;
	__be32 acknowledgement;
	__u8 data_offset;
	__u8 flags;
	__be16 window;
	__sum16 checksum;
	__be16 urgent;
};

/* RFC 1071 over a header without options, by words of four bytes: 0xffff when the checksum is right. */
static __always_inline __u16 ipv4_sum(const struct iphdr *ip)
{
	const half_t *words = (const half_t *)ip;
	__u64 sum = 0;

#pragma unroll
	for (int index = 0; index < IPV4_HEADER_LENGTH / 4; index++)
		sum += words[index];
	return folded(sum);
}

static __always_inline enum verdict parse_transport(void *at, void *end, struct packet *packet)
{
	struct tcp_start *tcp = at;
	struct udphdr *udp = at;
	__u32 header;

	if (packet->flow.protocol == IPPROTO_UDP) {
		if ((void *)(udp + 1) > end)
			return VERDICT_PASS_MALFORMED;
		packet->flow.source_port = udp->source;
		packet->flow.destination_port = udp->dest;
		packet->has_no_checksum = udp->check == 0;
		packet->header_length += UDP_HEADER_LENGTH;
		return VERDICT_GO_ON;
	}
	if (packet->flow.protocol != IPPROTO_TCP)
		return VERDICT_PASS_NOT_OURS;
	if ((void *)(tcp + 1) > end)
		return VERDICT_PASS_MALFORMED;
	header = (tcp->data_offset >> 4) * 4;
	if (header < TCP_HEADER_LENGTH_MIN)
		return VERDICT_PASS_MALFORMED;
	packet->flow.source_port = tcp->source;
	packet->flow.destination_port = tcp->destination;
	packet->tcp_flags = tcp->flags;
	packet->header_length += header;
	return VERDICT_GO_ON;
}

static __always_inline enum verdict parse_ipv4(void *at, void *end, struct packet *packet)
{
	struct iphdr *ip = at;

	if ((void *)(ip + 1) > end)
		return VERDICT_PASS_MALFORMED;
	/* Options are the host's to read. */
	if (ip->version != 4 || ip->ihl * 4 != IPV4_HEADER_LENGTH)
		return VERDICT_PASS_NOT_OURS;
	if (ip->frag_off & bpf_htons(IPV4_MORE_OR_OFFSET))
		return VERDICT_PASS_NOT_OURS;
	/* The way into the lane changes the header without its sum: lane.h makes it right. */
	if (!packet->is_from_lane && ipv4_sum(ip) != 0xffff)
		return VERDICT_PASS_MALFORMED;
	packet->flow.source[3] = ip->saddr;
	packet->flow.destination[3] = ip->daddr;
	packet->flow.protocol = ip->protocol;
	packet->flow.family = 4;
	packet->time_to_live = ip->ttl;
	packet->traffic_class = ip->tos;
	packet->dont_fragment = (__u8)ip->frag_off & IPV4_DONT_FRAGMENT >> 8; /* in its first byte */
	packet->length = bpf_ntohs(ip->tot_len);
	packet->header_length = IPV4_HEADER_LENGTH;
	packet->transport_at = sizeof(struct ethhdr) + IPV4_HEADER_LENGTH;
	return parse_transport(ip + 1, end, packet);
}

static __always_inline enum verdict parse_ipv6(void *at, void *end, struct packet *packet)
{
	struct ipv6hdr *ip = at;

	if ((void *)(ip + 1) > end)
		return VERDICT_PASS_MALFORMED;
	if (ip->version != 6)
		return VERDICT_PASS_NOT_OURS;
	__builtin_memcpy(packet->flow.source, &ip->saddr, sizeof(packet->flow.source));
	__builtin_memcpy(packet->flow.destination, &ip->daddr, sizeof(packet->flow.destination));
	/* Extension headers, fragments among them, are no transport: the host's. */
	packet->flow.protocol = ip->nexthdr;
	packet->flow.family = 6;
	packet->time_to_live = ip->hop_limit;
	packet->traffic_class = bpf_ntohl(*(__be32 *)ip) >> 20;
	packet->length = IPV6_HEADER_LENGTH + bpf_ntohs(ip->payload_len);
	packet->header_length = IPV6_HEADER_LENGTH;
	packet->transport_at = sizeof(struct ethhdr) + IPV6_HEADER_LENGTH;
	return parse_transport(ip + 1, end, packet);
}

static __always_inline enum verdict parse_frame(frame_t *frame, struct packet *packet)
{
	void *end = (void *)(long)frame->data_end;
	struct ethhdr *ethernet = (void *)(long)frame->data;
	__be16 type;

	if (!packet->is_from_lane && !is_for_host(frame, packet))
		return VERDICT_PASS_NOT_OURS;
	if ((void *)(ethernet + 1) > end)
		return VERDICT_PASS_MALFORMED;
	type = *(quarter_t *)((void *)ethernet + offsetof(struct ethhdr, h_proto));
	if (type == bpf_htons(ETHERTYPE_IPV4))
		return parse_ipv4(ethernet + 1, end, packet);
	if (type == bpf_htons(ETHERTYPE_IPV6))
		return parse_ipv6(ethernet + 1, end, packet);
	return VERDICT_PASS_NOT_OURS;
}

static __always_inline enum verdict parse(frame_t *frame, struct packet *packet)
{
	enum verdict verdict = parse_frame(frame, packet);

	if (verdict != VERDICT_GO_ON)
		return verdict;
	/* The frame may be padded, but not be shorter than its packet. */
	if (packet->length < packet->header_length || packet->length > frame_length(frame) - sizeof(struct ethhdr))
		return VERDICT_PASS_MALFORMED;
	return VERDICT_GO_ON;
}

#endif /* SLUICE_PARSE_H */
