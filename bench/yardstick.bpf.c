// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the programs in bpf/ are measured by: programs that do the least, and one that gives each of them its packets.
 *
 * drive_ipv4() and its kin write the next client's packet over the frame and go on into the program that is measured; what they
 * cost themselves is found with nothing() behind them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PORTS_PER_CLIENT 4096
#define FIRST_PORT 1024
#define FLOWS_MAX 1048576

/* Which packets come, written by whoever measures. Clients are numbered: 4096 ports of an address, then the next one's. */
struct course {
	__u32 flows;
	__u32 next;
	__be32 network;	    /* the first client's address, or its last word */
	__be16 service_port;
	__u8 is_in_order; /* each client comes once, from `next` on */
	__u8 is_answer;	  /* from the address and port of `service` to the client */
	__be32 client[3];   /* IPv6: the words before the last */
	__be32 service[4];  /* IPv4: in the last word */
	__u32 length;	    /* the frame's */
	__u8 link_addresses[12];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct course);
} courses SEC(".maps");

/* The program that is measured, at tc or at XDP. */
struct programs {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};

struct programs measured SEC(".maps");
struct programs measured_xdp SEC(".maps");

struct floor_key {
	__be32 source;
	__be32 destination;
	__be32 ports;
};

struct floor_value {
	__u8 link_addresses[12];
	__u32 departure;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FLOWS_MAX);
	__type(key, struct floor_key);
	__type(value, struct floor_value);
} floor_flows SEC(".maps");

/* What forward_all() sends on, and where to. */
struct way {
	__u8 link_addresses[12];
	__u32 departure;
	__be32 address;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct way);
} ways SEC(".maps");

static const __u32 ONLY = 0;

/* Unless they come in order, neighbours are far from each other: whoever prefetches is to gain nothing. */
static __always_inline __u32 next_client(struct course *course)
{
	if (course->is_in_order)
		return course->next++;
	course->next = course->next * 1664525 + 1013904223;
	return ((__u64)course->next * course->flows) >> 32;
}

static __always_inline void write_tcp(struct tcphdr *tcp, __u32 client, const struct course *course)
{
	__be16 port = bpf_htons(FIRST_PORT + client % PORTS_PER_CLIENT);

	tcp->source = course->is_answer ? course->service_port : port;
	tcp->dest = course->is_answer ? port : course->service_port;
	/* Of a sender that leaves it to the card it would be the pseudo header's, which is never this. */
	tcp->check = 0;
}

/* The program before wrote other link-layer addresses. */
static __always_inline void write_ethernet(struct ethhdr *ethernet, const struct course *course, __u16 type)
{
	__builtin_memcpy(ethernet, course->link_addresses, sizeof(course->link_addresses));
	ethernet->h_proto = bpf_htons(type);
}

static __always_inline bool write_ipv4(void *data, void *end, struct course *course)
{
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 client, sum = 0;
	__be32 address;

	if ((void *)(tcp + 1) > end)
		return false;
	client = next_client(course);
	write_ethernet(data, course, ETH_P_IP);
	ip->ttl = 64;
	address = bpf_htonl(bpf_ntohl(course->network) + client / PORTS_PER_CLIENT);
	ip->saddr = course->is_answer ? course->service[3] : address;
	ip->daddr = course->is_answer ? address : course->service[3];
	ip->check = 0;
#pragma unroll
	for (int word = 0; word < 10; word++)
		sum += ((__u16 *)ip)[word];
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~((sum & 0xffff) + (sum >> 16));
	write_tcp(tcp, client, course);
	return true;
}

static __always_inline bool write_ipv6(void *data, void *end, struct course *course)
{
	struct ipv6hdr *ip = data + sizeof(struct ethhdr);
	struct tcphdr *tcp = (void *)(ip + 1);
	__u32 client;

	if ((void *)(tcp + 1) > end)
		return false;
	client = next_client(course);
	write_ethernet(data, course, ETH_P_IPV6);
	ip->hop_limit = 64;
	__builtin_memcpy(&ip->saddr, course->client, sizeof(course->client));
	ip->saddr.in6_u.u6_addr32[3] = bpf_htonl(bpf_ntohl(course->network) + client / PORTS_PER_CLIENT);
	__builtin_memcpy(&ip->daddr, course->service, sizeof(course->service));
	write_tcp(tcp, client, course);
	return true;
}

SEC("tc")
int drive_ipv4(struct __sk_buff *skb)
{
	struct course *course = bpf_map_lookup_elem(&courses, &ONLY);

	if (course && write_ipv4((void *)(long)skb->data, (void *)(long)skb->data_end, course))
		bpf_tail_call(skb, &measured, 0);
	return TC_ACT_SHOT;
}

SEC("tc")
int drive_ipv6(struct __sk_buff *skb)
{
	struct course *course = bpf_map_lookup_elem(&courses, &ONLY);

	if (course && write_ipv6((void *)(long)skb->data, (void *)(long)skb->data_end, course))
		bpf_tail_call(skb, &measured, 0);
	return TC_ACT_SHOT;
}

/* What a tunnel has put before the packet goes. */
static __always_inline void unwrap(struct xdp_md *frame, const struct course *course)
{
	__u32 length = frame->data_end - frame->data;

	if (length > course->length)
		bpf_xdp_adjust_head(frame, (int)(length - course->length));
}

SEC("xdp")
int drive_ipv4_xdp(struct xdp_md *frame)
{
	struct course *course = bpf_map_lookup_elem(&courses, &ONLY);

	if (!course)
		return XDP_ABORTED;
	unwrap(frame, course);
	if (write_ipv4((void *)(long)frame->data, (void *)(long)frame->data_end, course))
		bpf_tail_call(frame, &measured_xdp, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int drive_ipv6_xdp(struct xdp_md *frame)
{
	struct course *course = bpf_map_lookup_elem(&courses, &ONLY);

	if (!course)
		return XDP_ABORTED;
	unwrap(frame, course);
	if (write_ipv6((void *)(long)frame->data, (void *)(long)frame->data_end, course))
		bpf_tail_call(frame, &measured_xdp, 0);
	return XDP_ABORTED;
}

SEC("tc")
int nothing(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_UNSPEC;
}

SEC("xdp")
int nothing_xdp(struct xdp_md *frame)
{
	(void)frame;
	return XDP_PASS;
}

/* Parses, looks the flow up in a hash of the kernel's, writes the link's addresses; where the frame is to leave, or 0. */
static __always_inline __u32 find_floor(void *data, void *end)
{
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct tcphdr *tcp = (void *)(ip + 1);
	struct floor_value *value;
	struct floor_key key;

	if ((void *)(tcp + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5)
		return 0;
	key.source = ip->saddr;
	key.destination = ip->daddr;
	key.ports = *(__be32 *)tcp;
	value = bpf_map_lookup_elem(&floor_flows, &key);
	if (!value)
		return 0;
	__builtin_memcpy(ethernet, value->link_addresses, sizeof(value->link_addresses));
	return value->departure;
}

SEC("tc")
int floor_of_flows(struct __sk_buff *skb)
{
	__u32 departure = find_floor((void *)(long)skb->data, (void *)(long)skb->data_end);

	return departure ? bpf_redirect(departure, 0) : TC_ACT_UNSPEC;
}

SEC("xdp")
int floor_of_flows_xdp(struct xdp_md *frame)
{
	__u32 departure = find_floor((void *)(long)frame->data, (void *)(long)frame->data_end);

	return departure ? bpf_redirect(departure, 0) : XDP_PASS;
}

/* End to end: what is for one address gets another's frame, and is looked at no further. Where it is to leave, or 0. */
static __always_inline __u32 find_way(void *data, void *end)
{
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	__u32 only = 0;
	struct way *way = bpf_map_lookup_elem(&ways, &only);

	if (!way || (void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP) || ip->daddr != way->address)
		return 0;
	__builtin_memcpy(ethernet, way->link_addresses, sizeof(way->link_addresses));
	return way->departure;
}

SEC("tc")
int forward_all(struct __sk_buff *skb)
{
	__u32 departure = find_way((void *)(long)skb->data, (void *)(long)skb->data_end);

	return departure ? bpf_redirect(departure, 0) : TC_ACT_UNSPEC;
}

SEC("xdp")
int forward_all_xdp(struct xdp_md *frame)
{
	__u32 departure = find_way((void *)(long)frame->data, (void *)(long)frame->data_end);

	return departure ? bpf_redirect(departure, 0) : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
