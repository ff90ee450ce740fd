/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections: what packets belong to, in the table and as it is told of. */
#ifndef SLUICE_ABI_CONNECTIONS_H
#define SLUICE_ABI_CONNECTIONS_H

#include "limits.h"

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
/*
 * Of a word: the server has answered a datagram that a client's template led, of which the director has to hear for the
 * template's sake. Beside the flags, as the kind is.
 */
#define WORD_ANSWERED 0x400000
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

#endif /* SLUICE_ABI_CONNECTIONS_H */
