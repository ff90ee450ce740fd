/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs and the daemon say to each other.
 *
 * This file is the only place that says it: scripts/build-bpf makes src/engine/kernel/abi.ts of its BTF. Addresses
 * and ports are in network byte order, all else in the host's. Padding is spelled out, because a map's key is compared
 * byte by byte, padding and all.
 */
#ifndef SLUICE_ABI_H
#define SLUICE_ABI_H

#include <linux/types.h>

/* How many flows there may be unless the daemon says otherwise, and real servers that are counted. */
#define FLOWS_MAX 2097152
#define COUNTERS_MAX 65536

/* A direction of a connection, as its packets look on the wire. An IPv4 address is in the last word, the others are 0. */
struct flow_key {
	__be32 source[4];
	__be32 destination[4];
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 family; /* 4 or 6 */
	__u16 pad;
};

/* What is done with a flow's packets. Append only: the daemon knows these by number. */
enum flow_action {
	ACTION_NONE,
	ACTION_ROUTE,		   /* direct routing: only the link's addresses change */
	ACTION_REWRITE_DESTINATION, /* masquerading, from the client */
	ACTION_REWRITE_SOURCE,	   /* masquerading, towards the client */
	FLOW_ACTIONS,
};

struct flow {
	__u64 seen; /* when its last packet came, in nanoseconds of CLOCK_MONOTONIC_COARSE */
	__u64 packets;
	/* The daemon's when it learnt the flow. Another than the settings' is an old one: the packet is the host's. 0 is. */
	__u32 generation;
	__u32 counter;	 /* whose packets these are: an index of `counters` */
	__u32 arrival;	 /* the interface that its packets come by */
	__u32 departure; /* and leave by */
	__be32 address[4];
	__be16 port;
	__u16 mtu;
	__u8 action; /* enum flow_action */
	__u8 link_addresses[12]; /* the neighbour's and the departure's own, as a frame begins with them */
	__u8 pad[3];
};

/* A real server's, of one service: both directions. Bytes are of IP packets. */
struct counter {
	__u64 in_packets;
	__u64 in_bytes;
	__u64 out_packets;
	__u64 out_bytes;
};

struct settings {
	__u32 generation; /* 0: nothing is forwarded here */
	__u32 is_watched; /* whether somebody wants to be told of packets */
};

/* Of which packets the daemon is to be told. 0 is any. */
struct watch {
	__u64 missed; /* wanted, but the daemon was not fast enough */
	__be32 client[4];
	__be32 mask[4];
	__u8 protocol;
	__u8 family;
	__u8 pad[6];
};

/* As many bytes of a packet as IP's and TCP's headers may have, and a power of two. */
#define TOLD_HEADERS 128
/* Bytes of packets that the daemon has not read yet. */
#define TOLD_MAX 131072

struct told_packet {
	__u64 at;	     /* nanoseconds of CLOCK_MONOTONIC */
	struct flow_key key; /* as it came */
	__u32 verdict;
	__u32 counter;
	__u32 arrival;
	__u32 departure;
	__u32 length;
	__be32 address[4];
	__be16 port;
	__u8 action;
	__u8 pad;
	__u8 link_addresses[12];
	__u32 headers_length;
	__u8 headers[TOLD_HEADERS]; /* as it leaves */
};

/*
 * Where a packet left the program, and why. Each has a counter, so that "where do my packets go?" is one read of one map.
 * Append only.
 */
enum verdict {
	VERDICT_PASS_NOT_OURS,	 /* not whole TCP or UDP for this host's link address */
	VERDICT_PASS_MALFORMED,	 /* ends inside a header, or its header's checksum is wrong */
	VERDICT_PASS_UNKNOWN,	 /* of no flow that is forwarded here */
	VERDICT_PASS_OLD,	 /* something has changed since: the host and the director look at it once more */
	VERDICT_PASS_EVENT,	 /* begins or ends a connection */
	VERDICT_PASS_TIME_TO_LIVE, /* somebody must be told */
	VERDICT_PASS_TOO_BIG,
	VERDICT_PASS_ELSEWHERE,	 /* came by another interface than the flow's packets do */
	VERDICT_PASS_NO_CHECKSUM, /* UDP to be rewritten: it gets a whole checksum then, udp_dnat_handler() */
	VERDICT_DROP_NO_MEMORY,	 /* it could not be written to */
	VERDICT_FORWARD_ROUTE,
	VERDICT_FORWARD_MASQUERADE,
	VERDICT_FORWARD_REPLY,
	VERDICTS,
	VERDICT_GO_ON = -1, /* not an end: the next stage decides */
};

_Static_assert(sizeof(struct flow_key) == 40, "a hole in flow_key");
_Static_assert(sizeof(struct flow) == 72, "a hole in flow");

#endif /* SLUICE_ABI_H */
