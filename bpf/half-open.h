/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections that have not come about yet: wayOf() in src/ipvs/defence/holding.ts. They are counted, and there is a limit, so that
 * no flood of beginnings takes the room of what is established. Beyond it the director decides who gives way
 * (docs/decisions/0009-a-full-table.md).
 */
#ifndef SLUICE_HALF_OPEN_H
#define SLUICE_HALF_OPEN_H

#include "table.h"

/* NONE, SYN_SENT, SYN_RECV and SYNACK: src/ipvs/connections/tcp-state.ts. */
#define HALF_OPEN_STATES (1 << 0 | 1 << 2 | 1 << 3 | 1 << 10)
/* More from its client, and a datagram was the beginning of a conversation. */
#define DATAGRAMS 1

static __always_inline bool is_half_open(__u64 word, __u32 packets)
{
	if (word & WORD_UDP)
		return packets <= DATAGRAMS;
	return HALF_OPEN_STATES >> (word >> STATE_SHIFT & 0xf) & 1;
}

static __always_inline void count_half_open(__s32 change)
{
	struct tally *counts = change ? bpf_map_lookup_elem(&tally, &ONLY) : NULL;

	if (counts)
		__sync_fetch_and_add(&counts->half_open, change);
}

static __always_inline bool has_room_for_beginnings(const struct settings *now)
{
	const struct tally *counts = bpf_map_lookup_elem(&tally, &ONLY);

	return counts && (__s32)counts->half_open < (__s32)now->half_open_max;
}

#endif /* SLUICE_HALF_OPEN_H */
