/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs go by, what they count, and where a packet may leave them. */
#ifndef SLUICE_ABI_SETTINGS_H
#define SLUICE_ABI_SETTINGS_H

#include "connections.h"

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

#endif /* SLUICE_ABI_SETTINGS_H */
