/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs keep. The daemon writes flows and settings, and reads counters, which are mapped into its memory. */
#ifndef SLUICE_MAPS_H
#define SLUICE_MAPS_H

#include "abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	/* Memory is taken as flows come: a limit that is not reached costs little. */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FLOWS_MAX);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, COUNTERS_MAX);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VERDICTS);
	__type(key, __u32);
	__type(value, __u64);
} verdicts SEC(".maps");

/* Written by the daemon, but for what was missed. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct watch);
} watches SEC(".maps");

/* Read by the daemon where it lies. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, TOLD_MAX);
} told_packets SEC(".maps");

struct told_packet *told_packet_in_btf;

/* Each verdict's number, and each action's, in the BTF: an enum that no variable has is not there. */
enum verdict verdict_in_btf = VERDICT_PASS_NOT_OURS;
enum flow_action flow_action_in_btf = ACTION_NONE;

static __always_inline void count_verdict(enum verdict verdict)
{
	__u32 index = verdict;
	__u64 *count = bpf_map_lookup_elem(&verdicts, &index);

	if (count)
		(*count)++;
}

static __always_inline __u32 current_generation(void)
{
	__u32 only = 0;
	struct settings *found = bpf_map_lookup_elem(&settings, &only);

	return found ? found->generation : 0;
}

#endif /* SLUICE_MAPS_H */
