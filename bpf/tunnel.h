/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts a packet into another one to its server: IP in IP, GRE, GUE, between all families. src/ipvs/forward/tunnel.ts. */
#ifndef SLUICE_TUNNEL_H
#define SLUICE_TUNNEL_H

#include "forward.h"
#include "schedule.h"

#define OUTER_MTU_MIN_IPV4 68 /* RFC 791, and RFC 8200: less is no tunnel */
#define OUTER_MTU_MIN_IPV6 1280
#define IP_LENGTH_MAX 0xffff
#define GRE_CHECKSUM 0x8000
#define ECN_MASK 0x03
#define ECN_CONGESTION 0x03
#define ECN_CAPABLE 0x02
/* net.ipv4.ip_local_port_range as it is by default, from which GUE's source ports come. */
#define EPHEMERAL_FIRST 32768
#define EPHEMERAL_COUNT 28232

/* What a transport's checksum covers beside its own bytes, with words of an address that IPv4 does not have as zeros. */
struct pseudo_header {
	__be32 source[4];
	__be32 destination[4];
	__be32 length;
	__be32 protocol;
};

struct gre_header {
	__be16 flags;
	__be16 protocol;
	__sum16 checksum;
	__be16 pad;
};

struct gue_header {
	struct udphdr udp;
	__u8 version;
	__u8 protocol;
	__be16 flags;
};

/* What stands between the outer IP header and the packet, and how long that is. */
union inner_cover {
	struct gre_header gre;
	struct gue_header gue;
};

/*
 * As the way to the tunnel's end, less what the tunnel takes. A sum over the packet cannot be made of what the card is still
 * to cut up, nor by the rule below of a datagram without a checksum.
 */
static __always_inline enum verdict narrow_way(const frame_t *frame, const struct packet *packet,
					       const struct tunnel *tunnel, struct way *way)
{
	__u32 least = tunnel->family == 4 ? OUTER_MTU_MIN_IPV4 : OUTER_MTU_MIN_IPV6;

	if (tunnel->has_checksum && segment_size(frame))
		return VERDICT_PASS_TOO_BIG;
	if (tunnel->has_checksum && packet->has_no_checksum)
		return VERDICT_PASS_NO_CHECKSUM;
	if (way->mtu < tunnel->overhead + least || packet->length + tunnel->overhead > IP_LENGTH_MAX)
		return VERDICT_PASS_TOO_BIG;
	way->mtu -= tunnel->overhead;
	return VERDICT_GO_ON;
}

/*
 * The sum of all bytes of a packet whose checksums are right, or will be when the card has finished them: an IPv4 header's is
 * nothing, and a transport's what its pseudo header lacks (lco_csum() in include/linux/udp.h).
 */
static __noinline __s64 sum_of_packet(frame_t *frame, const struct packet *packet)
{
	__u32 header = ip_length(packet->flow.family);
	struct pseudo_header pseudo = {
		.length = bpf_htonl(packet->length - header),
		.protocol = bpf_htonl(packet->flow.protocol),
	};
	__be32 ip[IPV6_HEADER_LENGTH / 4] = {};

	__builtin_memcpy(pseudo.source, packet->flow.source, sizeof(pseudo.source));
	__builtin_memcpy(pseudo.destination, packet->flow.destination, sizeof(pseudo.destination));
	if (packet->flow.family == 6)
		read_bytes(frame, sizeof(struct ethhdr), ip, sizeof(ip));
	return bpf_csum_diff((__be32 *)&pseudo, sizeof(pseudo), ip, sizeof(ip), 0);
}

/* udp_flow_src_port(): the same for a flow, so that routers keep its packets in order. */
static __always_inline __be16 flow_port(const struct packet *packet)
{
	__u32 addresses = fold(packet->flow.source) ^ fold(packet->flow.destination) * 0x9e3779b1;
	__u32 ports = bpf_ntohs(packet->flow.source_port) << 16 | bpf_ntohs(packet->flow.destination_port);
	__u32 hash = (addresses ^ ports * 0x85ebca6b) * 0xc2b2ae35;

	return bpf_htons(EPHEMERAL_FIRST + hash % EPHEMERAL_COUNT);
}

static __always_inline __u8 inner_protocol(const struct packet *packet)
{
	return packet->flow.family == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
}

static __always_inline void fill_gre(struct gre_header *gre, const struct packet *packet, const struct tunnel *tunnel,
				     __s64 sum)
{
	gre->protocol = bpf_htons(packet->flow.family == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	if (!tunnel->has_checksum)
		return;
	gre->flags = bpf_htons(GRE_CHECKSUM);
	gre->checksum = ~folded(bpf_csum_diff(NULL, 0, (__be32 *)gre, sizeof(*gre), sum));
}

static __always_inline void fill_gue(struct gue_header *gue, const struct packet *packet, const struct tunnel *tunnel,
				     const struct destination *destination, __s64 sum)
{
	__u32 length = sizeof(*gue) + packet->length;
	struct pseudo_header pseudo = {
		.length = bpf_htonl(length),
		.protocol = bpf_htonl(IPPROTO_UDP),
	};

	gue->udp.source = flow_port(packet);
	gue->udp.dest = tunnel->port;
	gue->udp.len = bpf_htons(length);
	gue->protocol = inner_protocol(packet);
	if (!tunnel->has_checksum)
		return;
	__builtin_memcpy(pseudo.source, tunnel->source, sizeof(pseudo.source));
	__builtin_memcpy(pseudo.destination, destination->address, sizeof(pseudo.destination));
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&pseudo, sizeof(pseudo), sum);
	gue->udp.check = ~folded(bpf_csum_diff(NULL, 0, (__be32 *)gue, sizeof(*gue), sum));
	if (gue->udp.check == 0)
		gue->udp.check = 0xffff;
}

/* RFC 3168 section 9.1.1: congestion that was met already is not told anew. */
static __always_inline __u8 outer_class(const struct packet *packet)
{
	__u8 inner = packet->traffic_class;

	return (inner & ECN_MASK) == ECN_CONGESTION ? (inner & ~ECN_MASK) | ECN_CAPABLE : inner;
}

static __always_inline __u8 outer_protocol(const struct packet *packet, const struct tunnel *tunnel)
{
	if (tunnel->encapsulation == ENCAPSULATION_GRE)
		return IPPROTO_GRE;
	return tunnel->encapsulation == ENCAPSULATION_GUE ? IPPROTO_UDP : inner_protocol(packet);
}

static __always_inline __u8 time_left(const struct packet *packet)
{
	return packet->time_to_live - (packet->is_from_lane ? 0 : 1);
}

static __always_inline __be16 next_identification(void)
{
	struct tally *counts = bpf_map_lookup_elem(&tally, &ONLY);

	return counts ? bpf_htons(__sync_fetch_and_add(&counts->identification, 1)) : 0;
}

static __always_inline long write_ipv4(frame_t *frame, const struct packet *packet, const struct tunnel *tunnel,
				       const struct destination *destination, const struct settings *now)
{
	bool dont_fragment = now->copies_dont_fragment && packet->flow.family == 4 && packet->dont_fragment;
	struct iphdr ip = {
		.version = 4,
		.ihl = IPV4_HEADER_LENGTH / 4,
		.tos = outer_class(packet),
		.tot_len = bpf_htons(packet->length + tunnel->overhead),
		.id = dont_fragment ? 0 : next_identification(),
		.frag_off = dont_fragment ? bpf_htons(IPV4_DONT_FRAGMENT) : 0,
		.ttl = time_left(packet),
		.protocol = outer_protocol(packet, tunnel),
		.saddr = tunnel->source[3],
		.daddr = destination->address[3],
	};

	ip.check = ~ipv4_sum(&ip);
	return write_bytes(frame, sizeof(struct ethhdr), &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline long write_ipv6(frame_t *frame, const struct packet *packet, const struct tunnel *tunnel,
				       const struct destination *destination)
{
	struct ipv6hdr ip = {
		.payload_len = bpf_htons(packet->length + tunnel->overhead - IPV6_HEADER_LENGTH),
		.nexthdr = outer_protocol(packet, tunnel),
		.hop_limit = time_left(packet),
	};

	*(__be32 *)&ip = bpf_htonl(6 << 28 | outer_class(packet) << 20);
	__builtin_memcpy(&ip.saddr, tunnel->source, sizeof(ip.saddr));
	__builtin_memcpy(&ip.daddr, destination->address, sizeof(ip.daddr));
	return write_bytes(frame, sizeof(struct ethhdr), &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline long write_cover(frame_t *frame, const struct packet *packet, const struct tunnel *tunnel,
					const struct destination *destination, __s64 sum)
{
	__u32 at = sizeof(struct ethhdr) + ip_length(tunnel->family);
	union inner_cover cover = {};

	if (tunnel->encapsulation == ENCAPSULATION_GUE) {
		fill_gue(&cover.gue, packet, tunnel, destination, sum);
		return write_bytes(frame, at, &cover.gue, sizeof(cover.gue), BPF_F_RECOMPUTE_CSUM);
	}
	if (tunnel->encapsulation != ENCAPSULATION_GRE)
		return 0;
	fill_gre(&cover.gre, packet, tunnel, sum);
	if (tunnel->has_checksum)
		return write_bytes(frame, at, &cover.gre, 8, BPF_F_RECOMPUTE_CSUM);
	return write_bytes(frame, at, &cover.gre, 4, BPF_F_RECOMPUTE_CSUM);
}

/*
 * The packet is as it shall be inside, with its frame's header before it. Negative when there is no memory. Global, so that a
 * verifier looks at it once; it believes that whoever calls may have nothing to give.
 */
int __attribute__((noinline)) encapsulate(frame_t *frame, const struct packet *packet, const struct tunnel *tunnel,
				  const struct destination *destination, const struct settings *now)
{
	__be16 type;
	__s64 sum;
	long failed;

	if (!packet || !tunnel || !destination || !now)
		return -1;
	type = bpf_htons(tunnel->family == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	sum = tunnel->has_checksum ? sum_of_packet(frame, packet) : 0;
	if (make_room(frame, tunnel))
		return -1;
	failed = tunnel->family == 4 ? write_ipv4(frame, packet, tunnel, destination, now) :
				       write_ipv6(frame, packet, tunnel, destination);
	failed |= write_cover(frame, packet, tunnel, destination, sum);
	failed |= write_bytes(frame, offsetof(struct ethhdr, h_proto), &type, sizeof(type), 0);
	return failed ? -1 : 0;
}

#endif /* SLUICE_TUNNEL_H */
