/* SPDX-License-Identifier: GPL-2.0-only */
/* Services, their real servers, and how those are picked. */
#ifndef SLUICE_ABI_SERVICES_H
#define SLUICE_ABI_SERVICES_H

#include "connections.h"

/* A real server of a service: what the daemon says of it, how loaded it is, what went to it and came from it. */
struct destination {
	__be32 address[4];
	__be16 port; /* 0: the service's */
	__u16 flags; /* what connections to it begin with */
	__u32 weight;
	__u32 is_available; /* still configured */
	__u32 upper;	    /* connections from which it is overloaded, 0 for none */
	__u32 low;	    /* below which it is no more */
	__u32 active;
	__u32 inactive;
	__u32 is_overloaded;
	struct way way;
	__u64 connections;
	__u64 in_packets;
	__u64 in_bytes;
	__u64 out_packets;
	__u64 out_bytes;
	__u64 key; /* what every daemon knows it by (src/ipvs/services/destination-key.ts); 0: nobody does */
	__u32 is_drained; /* a template no longer leads there */
	__u32 pad;
};

struct destinations {
	struct destination all[DESTINATIONS_MAX];
};

/* How packets get into a tunnel to a real server: the outer header's own end is good as long as the way there is. */
struct tunnel {
	__be32 source[4];
	__be16 port;	 /* GUE's */
	__u16 overhead;	 /* bytes before the packet */
	__u8 encapsulation; /* ENCAPSULATION_… */
	__u8 family;	 /* 4 or 6, of the outer header */
	__u8 has_checksum;
	__u8 pad;
};

#define ENCAPSULATION_IPIP 0
#define ENCAPSULATION_GRE 1
#define ENCAPSULATION_GUE 2

/* A service of a firewall mark has the mark in the last word, in the host's order, and neither port nor protocol. */
struct service_key {
	__be32 address[4];
	__be16 port;
	__u8 protocol;
	__u8 family;
};

/* A service of TCP, of UDP or of a mark. */
struct service {
	__u32 index; /* of `schedules`, or NOT_CARRIED: its new connections are the director's */
	__u32 is_local; /* the host has its address: what comes by the wire may open */
	__u32 mark;
	__be32 mask[4]; /* of persistent ones: what of a client's address tells it from others */
	__be16 port;
	__u8 is_persistent;
	__u8 is_one_packet; /* each datagram is a connection of its own */
};

/*
 * Where the connections of a masked client go: by protocol, masked client, service's address and port, or the mark
 * (src/ipvs/tracking/persistence.ts). The daemon ends it, and is told of each connection that it leads.
 */
struct template {
	__u32 destination; /* an index of `destinations` */
	__u32 id;	   /* the director's, of its own; 0: it has not heard of it yet */
};

#define NOT_CARRIED 0xffffffff

/*
 * By what real servers are compared: the least load for its weight wins, the first of a tie. What the load is made of, and who
 * may have none; without one of the first two it is the same of all. The daemon has a row for each scheduler
 * (src/engine/kernel/rules.ts).
 */
#define RULE_OVERHEAD 1	  /* active connections, 257 each, and inactive ones */
#define RULE_DELAY 2	  /* active connections, and the one that comes */
#define RULE_IDLE_FIRST 4 /* of that: none, where nothing is active */
#define RULE_BY_WEIGHT 8  /* else weights count only as 0 or not */
#define RULE_OVERFLOWS 16 /* with more active connections than its weight it takes no more */
#define RULE_IN_TURN 32	  /* whose turn it is is decided otherwise, among those of a weight */
#define RULE_DRAWN 64	  /* the less loaded of two that chance draws, by their weights */

/* A service's real servers and how they take turns. */
struct plan {
	__u32 first; /* in `members` */
	__u32 count;
	__u32 top;  /* wrr's: the highest level, and how far levels are apart; 0 of others */
	__u32 step;
	__u32 hash; /* HASH_…: `members` are slots, one of which the packet decides; 0 of others */
	__u32 rules;
	__u32 levels; /* of matches: the list has room for as many members as two to that */
	__u32 tag;    /* which list it is of those that have been there */
};

/* sh, dh and mh: by what a slot is chosen, and whether others are tried where that one may not be. */
#define HASH_CLIENT 1
#define HASH_DESTINATION 2
#define HASH_PORT 4
#define HASH_FALLBACK 8
#define HASH_MAGLEV 16 /* by SipHash, which of `count` slots it is */
#define HASH_BITS 8
#define HASH_SLOTS 256

/* Where they have got to. The plan's number is even or odd, as its place in `plans`. */
struct turn {
	__s16 position; /* of the last one picked in the list; -1: the list's head, before the first */
	__u16 plan;
	__u32 level; /* wrr's; twos's: where its sequence of chance has got to */
};

union turn_word {
	struct turn turn;
	__u64 word;
};

struct schedule {
	union turn_word turn;
	struct plan plans[2];
};

/* Lists of real servers, newest first: indices of `destinations`, and EMPTY_MEMBER behind them. */
struct members {
	__u32 all[MEMBERS_MAX];
};

#define EMPTY_MEMBER 0x1ffff

/* Where lists lie: who has won each match (tree.h). */
struct nodes {
	__u64 all[MEMBERS_MAX];
};

/* By the destination's index: in which list it has which place (tree.h); 0 for none. */
struct seats {
	__u64 all[DESTINATIONS_MAX];
};

#endif /* SLUICE_ABI_SERVICES_H */
