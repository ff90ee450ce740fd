/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ends connections whose time is over while no daemon does: src/ipvs/tracking/tracker.ts, expire(). A timer that starts itself anew
 * looks at a part of the table each time, at all of it in a second. What the director has itself stays for the next one.
 */
#ifndef SLUICE_EXPIRE_H
#define SLUICE_EXPIRE_H

#include "advance.h"
#include "find.h"
#include "schedule.h"

/* linux/time.h has it only for C libraries. */
#define CLOCK_MONOTONIC 1

#define PART_NS 10000000
#define PARTS 100
/* While a daemon lives it is looked whether it still does. */
#define WAIT_NS 1000000000

/* A part of the table, and what is known of everything. */
struct part {
	struct destinations *destinations;
	const struct settings *now;
	struct tally *counts;
	__u32 first;
	__u32 ticks;
};

/* What its server sends is nobody's from now on, unless another connection's server sends it, too. */
static __always_inline void forget_reply(const struct record *record, const struct flow_key *flow,
					 const struct destination *destination)
{
	struct flow_key key = {
		.source_port = record->port,
		.destination_port = flow->source_port,
		.protocol = flow->protocol,
		.family = flow->family,
	};
	struct reply *reply;

	__builtin_memcpy(key.source, destination->address, sizeof(key.source));
	__builtin_memcpy(key.destination, flow->source, sizeof(key.destination));
	reply = bpf_map_lookup_elem(&replies, &key);
	if (reply && reply->port == flow->destination_port && is_same_address(reply->address, flow->destination))
		bpf_map_delete_elem(&replies, &key);
}

/* Whoever takes an entry out of the index ends its connection: it counts no more. */
static __noinline void end_connection(struct record *record, __u32 number, __u64 word, const struct part *part)
{
	struct destination *destination = destination_at(part->destinations, record->destination);
	struct flow_key flow;
	__u64 hash;

	/* From now on no packet changes it. */
	if (__sync_val_compare_and_swap(&record->word, word, word | FLAG_DIRECTORS) != word)
		return;
	describe_flow(&flow, record);
	hash = hash_of(&flow, part->now);
	if (!remove_entry(hash, entry_of(hash, number)))
		return;
	if ((word & FORWARDING_MASK) == FORWARDING_MASQUERADE)
		forget_reply(record, &flow, destination);
	unbind(part->destinations, record->destination, word);
	count_half_open(-is_half_open(word, record->packets));
	record->word = WORD_FREE;
	free_record(number);
	__sync_fetch_and_add(&part->counts->expired, 1);
}

static long look_at_record(__u32 step, void *context)
{
	struct part *part = context;
	__u32 number = part->first + step;
	struct record *record = bpf_map_lookup_elem(&connections, &number);
	__u64 word;

	if (!record)
		return 1;
	word = *(volatile __u64 *)&record->word;
	/* A free record has no epoch. */
	if (word >> EPOCH_SHIFT == 0 || word & (FLAG_DIRECTORS | FLAG_BUSY) || !is_over(record, part->ticks))
		return 0;
	end_connection(record, number, word, part);
	return 0;
}

static int look_at_part(void *map __attribute__((unused)), __u32 *key __attribute__((unused)), struct expiry *expiry)
{
	struct part part = {
		.destinations = bpf_map_lookup_elem(&destinations, &ONLY),
		.now = bpf_map_lookup_elem(&settings, &ONLY),
		.counts = bpf_map_lookup_elem(&tally, &ONLY),
		.first = expiry->next,
	};
	__u64 time = bpf_ktime_get_coarse_ns();
	__u32 size;

	if (!part.destinations || !part.now || !part.counts)
		return 0;
	if (time < part.now->attended_until) {
		bpf_timer_start(&expiry->timer, WAIT_NS, 0);
		return 0;
	}
	part.ticks = time >> TICK_SHIFT;
	size = part.counts->records / PARTS + 1;
	bpf_loop(size, look_at_record, &part, 0);
	expiry->next = part.first + size < part.counts->records ? part.first + size : 0;
	bpf_timer_start(&expiry->timer, PART_NS, 0);
	return 0;
}

/* The daemon begins it. Where an earlier one did it goes on by this program. */
SEC("xdp")
int begin_expiry(struct xdp_md *context __attribute__((unused)))
{
	struct expiry *expiry = bpf_map_lookup_elem(&expiries, &ONLY);

	if (!expiry)
		return XDP_ABORTED;
	/* It is refused where there is one. */
	bpf_timer_init(&expiry->timer, &expiries, CLOCK_MONOTONIC);
	if (bpf_timer_set_callback(&expiry->timer, look_at_part) || bpf_timer_start(&expiry->timer, 0, 0))
		return XDP_ABORTED;
	return XDP_PASS;
}

#endif /* SLUICE_EXPIRE_H */
