/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which real server a new connection goes to: src/ipvs/schedulers. Lists are newest first and the first of a tie is taken,
 * as there.
 *
 * Nobody waits for anybody: loads are read while others change them, as the kernel's own schedulers do, and whose turn it is
 * is one word that is exchanged.
 */
#ifndef SLUICE_SCHEDULE_H
#define SLUICE_SCHEDULE_H

#include "maps.h"
#include "parse.h"

#define NOBODY (-1)

/* How often is tried anew to be first with a turn. */
#define TURN_ATTEMPTS 8

/* Who may be picked: those from `from` on, the others behind them if it `wraps`, of this weight at least. */
struct range {
	__u32 from;
	__u32 weight;
	bool wraps;
};

/* What schedulers know of a packet. */
struct asked {
	__u32 client_fold;
	__u32 client_port;
	__u32 destination_fold;
};

/* A look through a list, and the best one so far. */
struct search {
	const struct plan *plan;
	struct members *members;
	struct destinations *destinations;
	const struct order *order;
	struct range range;
	__s32 picked;
	__u32 place;
	__u64 load;
	__u64 weight;
};

static __always_inline bool is_eligible(const struct destination *destination)
{
	return destination->weight > 0 && !destination->is_overloaded && destination->is_available;
}

/* How loaded it is, in the order's terms: src/ipvs/schedulers/load.ts. */
static __always_inline __u64 load_of(const struct order *order, const struct destination *destination, __u32 rank)
{
	__u64 active = destination->active;
	__u64 delay = order->idle_first && active == 0 ? 0 : active + 1;

	return (active * 257 + destination->inactive) * order->overhead + delay * order->delay +
	       (__u64)rank * order->rank + order->constant;
}

/* One look of a search: whether it is the best one so far. 1 ends the search. */
static long consider(__u32 place, void *context)
{
	struct search *search = context;
	struct destination *destination;
	__u32 member, rank = place;
	__u64 load, weight;

	if (place < search->range.from) {
		if (!search->range.wraps)
			return 0;
		rank += MEMBERS_MAX;
	}
	member = search->members->all[(search->plan->first + place) & (MEMBERS_MAX - 1)];
	destination = destination_at(search->destinations, member);
	if (!is_eligible(destination) || destination->weight < search->range.weight)
		return 0;
	if (search->order->overflows && destination->active > destination->weight)
		return 0;
	load = load_of(search->order, destination, rank);
	weight = search->order->by_weight ? destination->weight : 1;
	if (search->picked != NOBODY && load * search->weight >= search->load * weight)
		return 0;
	search->picked = member;
	search->place = place;
	search->load = load;
	search->weight = weight;
	return 0;
}

/* The least loaded for its weight among those in range, by the search's order; or NOBODY. */
static __always_inline __s32 find_best(struct search *search)
{
	search->picked = NOBODY;
	bpf_loop(search->plan->count, consider, search, 0);
	return search->picked;
}

static const struct order HEAVIEST = { .constant = 1, .by_weight = 1 };

/* wrr.ts: rounds over the list at a falling level. */
static __always_inline __s32 pick_weighted(struct search *search, struct turn *turn)
{
	const struct plan *plan = search->plan;
	__u32 step = plan->step ? plan->step : 1;
	__u32 most, reachable, level;

	if (plan->top == 0)
		return NOBODY;
	search->range = (struct range){ .from = turn->position + 1, .weight = turn->level };
	if (find_best(search) != NOBODY)
		goto picked;
	/* The heaviest. */
	search->order = &HEAVIEST;
	search->range = (struct range){};
	if (find_best(search) == NOBODY) {
		if (turn->position >= 0 && turn->level <= step)
			return NOBODY;
		turn->position = -1;
		turn->level = plan->top;
		return NOBODY;
	}
	most = search->weight;
	reachable = most - (most - 1) % step;
	level = turn->level > step ? turn->level - step : plan->top;
	turn->level = level < reachable ? level : reachable;
	search->order = &plan->order;
	search->range.weight = turn->level;
	if (find_best(search) == NOBODY)
		return NOBODY;
picked:
	turn->position = search->place;
	return search->picked;
}

/* hash_32() of include/linux/hash.h. */
static __always_inline __u32 slot_of(__u32 value)
{
	return value * 0x61c88647 >> (32 - HASH_BITS);
}

/* Looks through slots from one on, as ip_vs_sh_get_fallback() does. */
static long consider_slot(__u32 offset, void *context)
{
	struct search *search = context;
	/* The first slot is added twice, as the offset's start and as the hash. */
	__u32 place = (search->place + offset + search->place) % HASH_SLOTS;
	__u32 member = search->members->all[(search->plan->first + place) & (MEMBERS_MAX - 1)];

	if (!is_eligible(destination_at(search->destinations, member)))
		return 0;
	search->picked = member;
	return 1;
}

/* sh.ts and dh.ts. */
static __always_inline __s32 pick_hashed(struct search *search, const struct asked *asked)
{
	const struct plan *plan = search->plan;
	__u32 value = plan->hash & HASH_DESTINATION ? asked->destination_fold : asked->client_fold;
	__u32 member;

	if (plan->count == 0)
		return NOBODY;
	if (plan->hash & HASH_PORT)
		value += asked->client_port;
	search->place = slot_of(value);
	search->picked = NOBODY;
	member = search->members->all[(plan->first + search->place) & (MEMBERS_MAX - 1)];
	if (is_eligible(destination_at(search->destinations, member)))
		return member;
	if (plan->hash & HASH_FALLBACK)
		bpf_loop(HASH_SLOTS, consider_slot, search, 0);
	return search->picked;
}

static __always_inline __s32 pick(struct search *search, struct turn *turn, const struct asked *asked)
{
	if (search->plan->hash)
		return pick_hashed(search, asked);
	search->order = &search->plan->order;
	if (search->plan->step > 0)
		return pick_weighted(search, turn);
	search->range = (struct range){ .from = turn->position + 1, .wraps = true };
	if (find_best(search) != NOBODY && search->order->rank)
		turn->position = search->place;
	return search->picked;
}

/* A connection goes to it: bind() in destination.ts. */
static __always_inline void bind(struct destination *destination, __u32 flags)
{
	__sync_fetch_and_add(flags & FLAG_INACTIVE ? &destination->inactive : &destination->active, 1);
	if (destination->upper && destination->active + destination->inactive >= destination->upper)
		destination->is_overloaded = 1;
}

/* It does no longer: unbind() there. */
static __always_inline void unbind(struct destination *destination, __u32 flags)
{
	__sync_fetch_and_add(flags & FLAG_INACTIVE ? &destination->inactive : &destination->active, -1);
	if (destination->is_overloaded && destination->active + destination->inactive < destination->low)
		destination->is_overloaded = 0;
}

/* A real server of a service, whose turn it then was. Global, so that a verifier looks at it once. */
__s32 __attribute__((noinline)) pick_of(__u32 service, __u32 client_fold, __u32 client_port, __u32 destination_fold)
{
	struct asked asked = { client_fold, client_port, destination_fold };
	struct schedule *schedule = bpf_map_lookup_elem(&schedules, &service);
	struct search search = {
		.members = bpf_map_lookup_elem(&members, &ONLY),
		.destinations = bpf_map_lookup_elem(&destinations, &ONLY),
	};

	if (!schedule || !search.members || !search.destinations)
		return NOBODY;
	for (int attempt = 0; attempt < TURN_ATTEMPTS; attempt++) {
		union turn_word before = { .word = *(volatile __u64 *)&schedule->turn.word };
		union turn_word after = before, now;
		__s32 picked;

		search.plan = &schedule->plans[before.turn.plan & 1];
		picked = pick(&search, &after.turn, &asked);
		/* A list that is no longer in force may be another's by now. */
		now.word = *(volatile __u64 *)&schedule->turn.word;
		if (now.turn.plan != before.turn.plan)
			continue;
		if (after.word == before.word)
			return picked;
		if (__sync_val_compare_and_swap(&schedule->turn.word, before.word, after.word) == before.word)
			return picked;
	}
	return NOBODY;
}

/* An address as one number: ip_vs_sh_hashkey() and its kin. */
static __always_inline __u32 fold(const __be32 *address)
{
	return bpf_ntohl(address[0] ^ address[1] ^ address[2] ^ address[3]);
}

/* As pick_of(), and a connection counts on it at once. */
static __always_inline __s32 schedule_connection(__u32 service, const struct packet *packet, struct destinations *all)
{
	__s32 picked = pick_of(service, fold(packet->flow.source), bpf_ntohs(packet->flow.source_port),
			       fold(packet->flow.destination));

	if (picked != NOBODY)
		bind(destination_at(all, picked), destination_at(all, picked)->flags);
	return picked;
}

#endif /* SLUICE_SCHEDULE_H */
