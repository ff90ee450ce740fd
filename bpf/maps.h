/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs keep. They alone write connections; loads the daemon counts, too. It fills in what it knows of the
 * host and the services, and has what else it wants changed by programs of its own (control.h).
 */
#ifndef SLUICE_MAPS_H
#define SLUICE_MAPS_H

#include "abi.h"

/* Records, and the buckets that say where they are: table.h. Mapped, so that they begin where cache lines do. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CONNECTIONS_MAX);
	__type(key, __u32);
	__type(value, struct record);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, CONNECTIONS_MAX / 4);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

/* Numbers of records that were in use. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, CONNECTIONS_MAX);
	__type(value, __u32);
} free_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, CONNECTIONS_MAX);
	__type(key, struct flow_key);
	__type(value, struct reply);
} replies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, CONNECTIONS_MAX);
	__type(key, struct flow_key);
	__type(value, struct template);
} templates SEC(".maps");

/* Those that have not come for longest give way. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, CLIENTS_MAX);
	__type(key, struct client_key);
	__type(value, struct way);
} client_ways SEC(".maps");

/* Larger than what a program may have on its stack. */
struct expected {
	struct flow_key flow;
	struct reply reply;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct expected);
} expectations SEC(".maps");

/* A connection of a single packet, which is never in the table. */
struct draft {
	struct record connection;
	__u64 turn_before; /* of a single packet: its service's, before it was scheduled and after */
	__u64 turn_after;
	__u32 schedule;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct draft);
} drafts SEC(".maps");

/* One value, not one for each: a loop that picks among them looks nothing up. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct destinations);
} destinations SEC(".maps");

/* By the destination's index. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, DESTINATIONS_MAX);
	__type(key, __u32);
	__type(value, struct tunnel);
} tunnels SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct members);
} members SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nodes);
} nodes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct seats);
} seats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LISTED_SERVICES_MAX);
	__type(key, struct service_key);
	__type(value, struct service);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct schedule);
} schedules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, NEWS_BYTES);
} news SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tally);
} tally SEC(".maps");

/* What ends connections while no daemon does, and where in the table it has got to: expire.h. */
struct expiry {
	struct bpf_timer timer;
	__u32 next;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct expiry);
} expiries SEC(".maps");

/* Written by the daemon, but for what was missed. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct watch);
} watches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, TOLD_MAX);
} told_packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VERDICTS);
	__type(key, __u32);
	__type(value, __u64);
} verdicts SEC(".maps");

/* What no variable and no map has is not in the BTF. */
enum verdict verdict_in_btf = VERDICT_PASS_NOT_OURS;
enum edit edit_in_btf = EDIT_BOUND;
struct news news_in_btf;
struct told_packet *told_packet_in_btf;
struct card *card_in_btf;
struct edit_schedule edit_schedule_in_btf;
struct play_matches play_matches_in_btf;
struct pick_destination pick_destination_in_btf;
struct change_connection change_connection_in_btf;

static const __u32 ONLY = 0;

#define VERDICTS_OF_SENT                                                                                    \
	(1U << VERDICT_FORWARD_ROUTE | 1U << VERDICT_FORWARD_MASQUERADE | 1U << VERDICT_FORWARD_REPLY | \
	 1U << VERDICT_FORWARD_TUNNEL)

/* Neither sent on nor lost. */
static __always_inline bool is_passed(enum verdict verdict)
{
	return !((VERDICTS_OF_SENT | 1U << VERDICT_DROP_NO_MEMORY) >> verdict & 1);
}

static __always_inline void count_verdict(enum verdict verdict)
{
	__u32 index = verdict;
	__u64 *count = bpf_map_lookup_elem(&verdicts, &index);

	if (count)
		(*count)++;
}

static __always_inline struct destination *destination_at(struct destinations *in, __u32 index)
{
	return &in->all[index & (DESTINATIONS_MAX - 1)];
}

#endif /* SLUICE_MAPS_H */
