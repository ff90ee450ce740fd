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

/* How many connections there may be unless the daemon says otherwise; the rest is fixed. Powers of two. */
#define CONNECTIONS_MAX 1048576
#define DESTINATIONS_MAX 65536
#define SERVICES_MAX 4096
#define LISTED_SERVICES_MAX 65536
#define MEMBERS_MAX 1048576
#define CLIENTS_MAX 65536
#define NEWS_BYTES 4194304

/* Real servers that a service may have, to be scheduled here. */
#define SERVICE_MEMBERS_MAX 4096

/* A packet's two ends as they are on the wire. An IPv4 address is in the last word, the others are 0. */
struct flow_key {
	/* Compared eight bytes at a time. */
	__be32 source[4] __attribute__((aligned(8)));
	__be32 destination[4];
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 family; /* 4 or 6 */
	__u16 pad;
};

/* How packets get to a neighbour. The daemon's to fill in; good in the generation in which it did. */
struct way {
	/* Copied and written eight bytes at a time. */
	__u32 generation __attribute__((aligned(8)));
	__u32 departure; /* the interface */
	__u8 link_addresses[12]; /* the neighbour's and the departure's own, as a frame begins with them */
	__u16 mtu;
	__u8 pad[2];
};

/* A connection, by its client's packets, as the director and the programs tell each other of it. */
struct connection {
	__u64 seen; /* when its last packet came, in nanoseconds of CLOCK_MONOTONIC_COARSE */
	__u64 word;
	__u32 packets;	   /* from the client */
	__u32 timeout;	   /* in milliseconds, after its last packet */
	__u32 destination; /* an index of `destinations` */
	__u32 generation;  /* in which the host let its packets in; 0: it has not */
	__u32 arrival;	   /* the interface that they came by */
	__be16 port;	   /* the real server's */
	__u16 pad;
};

/*
 * A connection in the table: a cache line. Its `word` has all that packets change about it but counters, so that whoever
 * exchanges it (compare and swap) has the change to himself:
 *
 *      0          16      20     24        32
 *     | flags    | state | kind | version | epoch
 *
 * Flags are the director's (src/ipvs/connections/flow.ts), and the two below. The kind is in here alone (table.h). The
 * version grows with every change, the epoch is another for each connection.
 */
struct record {
	__be32 client[4] __attribute__((aligned(8)));
	__be32 service[4];
	__be16 client_port;
	__be16 service_port;
	__u32 seen; /* in ticks: nanoseconds without their last 20 bits */
	__u64 word;
	__u32 packets;
	__u32 timeout;
	__u16 destination;
	__be16 port;
	__u32 admission; /* in which generation, and by which interface, the host let its packets in; 0: it has not */
};

/* Where records are: what a flow's hash says of one, and its number. */
#define BUCKET_ENTRIES 7

struct bucket {
	__u64 entries[BUCKET_ENTRIES];
	__u32 passed; /* entries that found no room here and lie in one of the next buckets */
	__u32 pad;
};

#define TICK_SHIFT 20

/* Of a connection's flags, as CONNECTION_FLAG in src/ipvs/connections/flow.ts has them. */
#define FORWARDING_MASK 0x7
#define FORWARDING_MASQUERADE 0
#define FORWARDING_TUNNEL 2
#define FORWARDING_ROUTE 3
#define FLAG_NO_OUTPUT 0x80
#define FLAG_INACTIVE 0x100

/* The connection is the director's: packets go to it, nothing changes it here. */
#define FLAG_DIRECTORS 0x8000
/* A template led the connection: nothing follows it before its time is over. */
#define FLAG_CONTROLLED 0x200
/* It ends with its packet (single.h). */
#define FLAG_ONE_PACKET 0x2000
/* Somebody fills the connection in this very moment. */
#define FLAG_BUSY 0x400

#define STATE_SHIFT 16
#define VERSION_SHIFT 24
#define EPOCH_SHIFT 32

/* What the director is told: a connection that is new, or in a new state. */
struct news {
	struct flow_key flow;
	struct connection connection;
};

/* A masqueraded connection, by what its server sends. */
struct reply {
	struct way way;	   /* to the client */
	__be32 address[4]; /* the service's */
	__be16 port;
	__u16 pad;
	__u32 generation; /* in which the host let such packets through; 0: it has not */
	__u32 arrival;	  /* the interface that they came by */
	__u32 record;	  /* where its connection was found last: a number and 1, or 0; the programs' own */
};

/* How replies that bear a service's address get to a client: the daemon told of a connection before. */
struct client_key {
	__be32 client[4];
	__be32 service[4];
};

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

/* What has changed of a service's real servers, in the words of src/ipvs/schedulers/scheduler.ts. */
enum edit {
	EDIT_BOUND,
	EDIT_ADDED,
	EDIT_REMOVED,
	EDIT_EDITED,
	EDIT_RESUMED, /* at the position and level that are told */
	EDIT_WEIGHED, /* nothing but weights and thresholds: whose turn it is stays */
};

/* Programs that the daemon runs (BPF_PROG_TEST_RUN), and what they read from and write to a packet's place. */
struct edit_schedule {
	__u32 service;
	__u32 edit;  /* enum edit */
	__u32 which; /* the destination that it is about */
	struct plan plan;
	__s32 position; /* told: where the schedule stands then */
	__u32 level;
};

/* The daemon has changed how loaded a destination is. */
struct play_matches {
	__u32 destination;
	__u32 pad[3];
};

struct pick_destination {
	__u32 service;
	/* The packet's, as src/ipvs/schedulers/scheduler.ts has them. */
	__u32 client_fold;
	__u32 client_port;
	__u32 destination_fold;
	__s32 picked; /* told: -1 for none */
};

struct change_connection {
	struct flow_key flow;
	struct connection connection;
	__u32 keeps; /* generation and arrival are as they were */
	__s32 found; /* told: whether the connection was there */
	__u32 number; /* asked: of a record, by who asks for one after the other */
	__u32 pad;
};

/* Interfaces where the program may run at XDP; a power of two. */
#define CARDS_MAX 4096

/* An interface where the program runs at XDP, which knows nothing else of it. By its index. */
struct card {
	__u32 index;
	__u8 address[6]; /* its own: frames for others are the host's */
	__u8 flags;	 /* CARD_… */
	__u8 pad;
};

#define CARD_GENERIC 1 /* frames are socket buffers, which any interface sends */
#define CARD_SENDS 2   /* takes frames of other drivers' */
#define CARD_TURNS 4   /* sends what it has received by itself (XDP_TX) */

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
	__u32 destination;
	__u32 arrival;
	__u32 departure;
	__u32 length;
	__be32 address[4]; /* what was written into its address's and its port's place, if anything was */
	__be16 port;
	__u8 state;
	__u8 is_new;
	__u8 link_addresses[12];
	__u32 headers_length;
	__u8 headers[TOLD_HEADERS]; /* as it leaves, without a tunnel's */
};

#define SERVER_BITS 65536

/* What the daemon says of the host, the knobs, and the tables of states (src/ipvs/connections). */
struct settings {
	__u32 generation; /* 0: nothing is forwarded here */
	__u32 opens_on_wire; /* connections are opened where packets arrive, before the host's firewall */
	__u32 carried;	     /* a bit for each protocol whose packets are forwarded: CARRIES_TCP, CARRIES_UDP */
	__u32 at_card;	     /* those of them that are forwarded where packets arrive; the host's rules see each of the others */
	__u32 opened;	     /* a bit for each protocol whose connections are opened */
	__u32 reuse_mode;    /* net.ipv4.vs.conn_reuse_mode */
	__u32 expires_nodest; /* net.ipv4.vs.expire_nodest_conn */
	__u32 expires_quiescent; /* net.ipv4.vs.expire_quiescent_template */
	__u32 copies_dont_fragment; /* net.ipv4.vs.pmtu_disc */
	__u32 is_sloppy;     /* net.ipv4.vs.sloppy_tcp */
	__u32 is_watched;    /* somebody wants to be told of packets */
	__u32 kinds;	     /* a bit for each kind of service that there is beside those of one port: KIND_… */
	__u32 udp_timeout;   /* milliseconds */
	__u32 active_states; /* a bit for each */
	__u32 timeouts[16];  /* TCP's, by state, in milliseconds */
	/* The table's: a power of two of buckets, of which the hash's upper bits choose, and what flows are hashed by. */
	__u32 index_shift;
	__u32 index_mask;
	__u32 half_open_max; /* as many connections may be half open before only the director opens more */
	__u32 pad;
	__u64 multiplier; /* odd */
	__u32 secret[10];
	__u8 states[256];    /* TCP's next state, by direction, event and state: src/ipvs/connections/state-machine.ts */
	/* A bit for each server whose packets may be masqueraded connections' answers, by its address's hash (find.h). */
	__u8 servers[SERVER_BITS / 8];
	__u64 attended_until; /* nanoseconds of CLOCK_MONOTONIC: until then the daemon ends connections, unless it says more */
};

#define CARRIES_TCP 1
#define CARRIES_UDP 2

#define KIND_MARK 1
#define KIND_FTP 2 /* takes what is for other ports, too: data connections */
#define KIND_ANY_PORT 4

/* Written here, read by the daemon. */
struct tally {
	__u32 epoch;
	__u32 records; /* that were ever in use: the first so many */
	__u32 identification; /* of outer packets that may be fragmented */
	__u32 half_open; /* connections that have not come about yet */
	__u64 opened;
	__u64 unheard; /* news that had no place */
	__u64 expired; /* connections that ended here while no daemon lived */
};

/*
 * Where a packet left the program, and why. Each has a counter, so that "where do my packets go?" is one read of one map.
 * Append only.
 */
enum verdict {
	VERDICT_PASS_NOT_OURS,	 /* not whole TCP or UDP for this host's link address */
	VERDICT_PASS_MALFORMED,	 /* ends inside a header, or its header's checksum is wrong */
	VERDICT_PASS_UNKNOWN,	 /* of no connection that is known here, and none that it may open */
	VERDICT_PASS_OLD,	 /* something has changed since: the host looks at it once more */
	VERDICT_PASS_EVENT,	 /* begins a connection, which the host must let in */
	VERDICT_PASS_TIME_TO_LIVE, /* somebody must be told */
	VERDICT_PASS_TOO_BIG,
	VERDICT_PASS_ELSEWHERE,	 /* came by another interface than the connection's packets do */
	VERDICT_PASS_NO_CHECKSUM, /* UDP to be rewritten: it gets a whole checksum then, udp_dnat_handler() */
	VERDICT_DROP_NO_MEMORY,	 /* it could not be written to */
	VERDICT_FORWARD_ROUTE,
	VERDICT_FORWARD_MASQUERADE,
	VERDICT_FORWARD_REPLY,
	VERDICT_PASS_DIRECTOR,	/* the connection is the director's */
	VERDICT_PASS_NO_WAY,	/* the director has not told how to get there */
	VERDICT_PASS_NO_SERVER, /* no real server takes the connection */
	VERDICT_PASS_FULL,	/* no room for one more connection */
	VERDICT_FORWARD_TUNNEL,
	VERDICT_PASS_UNFINISHED, /* at XDP: its checksum may be left to a card, which is the stack's to know */
	VERDICT_PASS_NO_XDP,	 /* at XDP: it leaves by an interface that takes no frames of drivers' */
	VERDICT_PASS_HALF_OPEN,	/* as many half-open connections as there may be */
	VERDICTS,
	VERDICT_GO_ON = -1, /* not an end: the next stage decides */
};

_Static_assert(sizeof(struct flow_key) == 40, "a hole in flow_key");
_Static_assert(sizeof(struct connection) == 40, "a hole in connection");
_Static_assert(sizeof(struct record) == 64, "a record is more than a cache line");
_Static_assert(sizeof(struct bucket) == 64, "a bucket is more than a cache line");
_Static_assert(sizeof(struct reply) == 56, "a hole in reply");
_Static_assert(sizeof(struct destination) == 128, "a hole in destination");
_Static_assert(sizeof(struct change_connection) == 96, "a hole in change_connection");

#endif /* SLUICE_ABI_H */
