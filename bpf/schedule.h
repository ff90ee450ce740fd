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
#include "siphash.h"

#define NOBODY (-1)

/* By it the heaviest is found. */
static const struct order BY_WEIGHT = { .constant = 1, .by_weight = 1 };

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
	__u32 value; /* what decides about a slot */
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

/* wrr.ts: rounds over the list at a falling level. */
static __always_inline void pick_weighted(struct search *search, struct turn *turn)
{
	const struct plan *plan = search->plan;
	__u32 step = plan->step ? plan->step : 1;
	__u32 most, reachable, level;

	if (plan->top == 0)
		return;
	search->range = (struct range){ .from = turn->position + 1, .weight = turn->level };
	if (find_best(search) != NOBODY)
		goto picked;
	/* The heaviest. */
	search->order = &BY_WEIGHT;
	search->range = (struct range){};
	if (find_best(search) == NOBODY) {
		if (turn->position >= 0 && turn->level <= step)
			return;
		turn->position = -1;
		turn->level = plan->top;
		return;
	}
	most = search->weight;
	reachable = most - (most - 1) % step;
	level = turn->level > step ? turn->level - step : plan->top;
	turn->level = level < reachable ? level : reachable;
	search->order = &plan->order;
	search->range.weight = turn->level;
	if (find_best(search) == NOBODY)
		return;
picked:
	turn->position = search->place;
}

/* hash_32() of include/linux/hash.h. */
static __always_inline __u32 slot_of(__u32 value)
{
	return value * 0x61c88647 >> (32 - HASH_BITS);
}

/* Which slot a client's or a destination's value falls into. */
static __always_inline __u32 place_of(const struct plan *plan, __u32 value)
{
	return plan->hash & HASH_MAGLEV ? siphash(value) % plan->count : slot_of(value);
}

/* Looks through slots from one on, as ip_vs_sh_get_fallback() and ip_vs_mh_get_fallback() do. */
static long consider_slot(__u32 offset, void *context)
{
	struct search *search = context;
	const struct plan *plan = search->plan;
	__u32 place, member;

	if (plan->hash & HASH_MAGLEV)
		place = siphash((search->place + offset) % plan->count + search->value) % plan->count;
	else /* The first slot is added twice, as the offset's start and as the hash. */
		place = (search->place + offset + search->place) % HASH_SLOTS;
	member = search->members->all[(plan->first + place) & (MEMBERS_MAX - 1)];
	if (!is_eligible(destination_at(search->destinations, member)))
		return 0;
	search->picked = member;
	return 1;
}

/* sh.ts, dh.ts and mh.ts. */
static __always_inline void pick_hashed(struct search *search, const struct asked *asked)
{
	const struct plan *plan = search->plan;
	__u32 value = plan->hash & HASH_DESTINATION ? asked->destination_fold : asked->client_fold;
	__u32 member;

	if (plan->count == 0)
		return;
	if (plan->hash & HASH_PORT)
		value += asked->client_port;
	search->value = value;
	search->place = place_of(plan, value);
	member = search->members->all[(plan->first + search->place) & (MEMBERS_MAX - 1)];
	if (is_eligible(destination_at(search->destinations, member)))
		search->picked = member;
	else if (plan->hash & HASH_FALLBACK)
		bpf_loop(plan->count, consider_slot, search, 0);
}

/* Into `picked`; NOBODY stays there where nobody can be. */
static __always_inline void pick(struct search *search, struct turn *turn, const struct asked *asked)
{
	search->picked = NOBODY;
	search->order = &search->plan->order;
	if (search->plan->hash) {
		pick_hashed(search, asked);
		return;
	}
	if (search->plan->step > 0) {
		pick_weighted(search, turn);
		return;
	}
	search->range = (struct range){ .from = turn->position + 1, .wraps = true };
	if (find_best(search) != NOBODY && search->order->rank)
		turn->position = search->place;
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

/* A pick that is being made. */
struct picking {
	struct schedule *schedule;
	struct search search;
	struct asked asked;
};

/* 1 once somebody is picked, or nobody can be: nobody else has had a turn meanwhile, and the list is still in force. */
static long pick_once(__u32 attempt __attribute__((unused)), void *context)
{
	struct picking *picking = context;
	struct search *search = &picking->search;
	struct schedule *schedule = picking->schedule;
	union turn_word before = { .word = *(volatile __u64 *)&schedule->turn.word };
	union turn_word after = before, now;

	search->plan = &schedule->plans[before.turn.plan & 1];
	pick(search, &after.turn, &picking->asked);
	/* A list that is no longer in force may be another's by now. */
	now.word = *(volatile __u64 *)&schedule->turn.word;
	if (now.turn.plan == before.turn.plan) {
		if (after.word == before.word)
			return 1;
		if (__sync_val_compare_and_swap(&schedule->turn.word, before.word, after.word) == before.word)
			return 1;
	}
	search->picked = NOBODY;
	return 0;
}

/*
 * A real server of a service, whose turn it then was. Global, so that a verifier looks at it once; and so that it looks at an
 * attempt once, they are a bpf_loop().
 */
__s32 __attribute__((noinline)) pick_of(__u32 service, __u32 client_fold, __u32 client_port, __u32 destination_fold)
{
	struct picking picking = {
		.schedule = bpf_map_lookup_elem(&schedules, &service),
		.search = {
			.members = bpf_map_lookup_elem(&members, &ONLY),
			.destinations = bpf_map_lookup_elem(&destinations, &ONLY),
			.picked = NOBODY,
		},
		.asked = { client_fold, client_port, destination_fold },
	};

	if (!picking.schedule || !picking.search.members || !picking.search.destinations)
		return NOBODY;
	bpf_loop(TURN_ATTEMPTS, pick_once, &picking, 0);
	return picking.search.picked;
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
