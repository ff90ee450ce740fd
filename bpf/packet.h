/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of a packet once it has been parsed. */
#ifndef SLUICE_PACKET_H
#define SLUICE_PACKET_H

#include "abi.h"

#define UNUSED __attribute__((unused))

/* Memory by words of eight, four and two bytes, whatever it is declared as. */
typedef __u64 __attribute__((may_alias)) whole_t;
typedef __u32 __attribute__((may_alias)) half_t;
typedef __u16 __attribute__((may_alias)) quarter_t;

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define IPV4_MORE_OR_OFFSET 0x3fff /* the flag "more fragments" and the fragment's offset */
#define IPV4_DONT_FRAGMENT 0x4000
#define ADDRESS_IPV4_LENGTH 4
#define ADDRESS_IPV6_LENGTH 16
#define IPV4_HEADER_LENGTH 20
#define IPV6_HEADER_LENGTH 40
#define TCP_HEADER_LENGTH_MIN 20
#define UDP_HEADER_LENGTH 8
/* Where their checksums are. */
#define TCP_CHECKSUM_AT 16
#define UDP_CHECKSUM_AT 6
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct packet {
	struct flow_key flow;
	/* From the frame's beginning, in bytes. */
	__u32 transport_at;
	__u32 header_length; /* IP's and the transport's together */
	__u32 length;	     /* as the IP header says */
	__u32 ticks;	     /* when it came: struct record's clock */
	__u32 mark;	     /* netfilter's, of a packet from the lane */
	__u8 time_to_live;
	__u8 tcp_flags;
	__u8 traffic_class; /* IPv4 calls it type of service */
	__u8 dont_fragment;
	__u8 has_no_checksum; /* UDP with checksum 0 */
	__u8 is_from_lane;    /* it has been through the host's firewall */
	__u8 lane;	      /* LANE_…, by which it came there */
	__u8 card;	      /* CARD_…, of where it arrived, at XDP */
};

static __always_inline __u32 ip_length(__u8 family)
{
	return family == 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
}

/* RFC 1624, equation 3: a checksum after a word of what it covers has become another. */
static __always_inline __sum16 sum_after(__sum16 sum, __be16 before, __be16 after)
{
	__u32 next = (__u16)~sum + (__u16)~before + after;

	next = (next & 0xffff) + (next >> 16);
	return ~((next & 0xffff) + (next >> 16));
}

/* Of less than 2^40, which are 256 words: so two carries are all. */
static __always_inline __u16 folded(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* The same, of several words at once: `change` is the sum of what they have become, and of the complements of what they were. */
static __always_inline __sum16 sum_changed(__sum16 sum, __u64 change)
{
	return ~folded((__u16)~sum + change);
}

/* What a sender leaves in a checksum's place for its card to finish (tcp_v4_send_check()). `first`: of an address's words. */
static __always_inline __u16 pseudo_sum(const struct packet *packet, int first)
{
	__u64 sum = bpf_htonl(packet->length - ip_length(packet->flow.family)) + (__u64)bpf_htonl(packet->flow.protocol);

#pragma unroll
	for (int word = 0; word < 4; word++)
		if (word >= first)
			sum += (__u64)packet->flow.source[word] + packet->flow.destination[word];
	return folded(sum);
}

#endif /* SLUICE_PACKET_H */
