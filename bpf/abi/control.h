/* SPDX-License-Identifier: GPL-2.0-only */
/* What the daemon has changed, or asks: programs of its own, interfaces, packets that it watches. */
#ifndef SLUICE_ABI_CONTROL_H
#define SLUICE_ABI_CONTROL_H

#include "services.h"

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

#endif /* SLUICE_ABI_CONTROL_H */
