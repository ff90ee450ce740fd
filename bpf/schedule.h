/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which real server a new connection goes to: src/ipvs/schedulers. Lists are newest first and the first of a tie is taken,
 * as there. The least loaded one is known already (tree.h); who is next in turn, or has a packet's slot, is looked for.
 *
 * Nobody waits for anybody: loads are read while others change them, as the kernel's own schedulers do, and whose turn it is
 * is one word that is exchanged.
 */
#ifndef SLUICE_SCHEDULE_H
#define SLUICE_SCHEDULE_H

#include "load.h"
#include "parse.h"
#include "siphash.h"

/* How often is tried anew to be first with a turn. */
#define TURN_ATTEMPTS 8

/* What schedulers know of a packet. */
struct asked {
	__u32 client_fold;
	__u32 client_port;
	__u32 destination_fold;
};

/* A look at a list, and whom it has found. */
struct search {
	const struct plan *plan;
	struct members *members;
	struct nodes *nodes;
	struct destinations *destinations;
	__s32 picked;
	__u32 place;
	__u32 value; /* what decides about a slot */
};

static __always_inline __u32 member_at(const struct search *search, __u32 place)
{
	return search->members->all[(search->plan->first + place) & (MEMBERS_MAX - 1)];
}

/* Who has won all matches; NOBODY when he may not be picked, and so nobody may. */
static __always_inline __s32 champion_of(const struct search *search)
{
	__u64 root = *(volatile __u64 *)&search->nodes->all[(search->plan->first + 1) & (MEMBERS_MAX - 1)];
	__u32 winner = root & WINNER_MASK;

	if (winner == EMPTY_MEMBER)
		return NOBODY;
	if (!may_be_picked(destination_at(search->destinations, winner), search->plan->rules))
		return NOBODY;
	return winner;
}

/* The one at a place has its turn. */
static __always_inline void pick_at(struct search *search, struct turn *turn, __s32 place)
{
	search->picked = member_at(search, place);
	turn->position = place;
}

/* rr.ts. */
static __always_inline void pick_next(struct search *search, struct turn *turn)
{
	const struct plan *plan = search->plan;
	__s32 place = first_from(plan->first, plan->levels, turn->position + 1, 1);

	if (place == NOBODY)
		place = first_from(plan->first, plan->levels, 0, 1);
	if (place != NOBODY)
		pick_at(search, turn, place);
}

/* wrr.ts: rounds over the list at a falling level. The champion is the heaviest. */
static __always_inline void pick_weighted(struct search *search, struct turn *turn)
{
	const struct plan *plan = search->plan;
	__u32 step = plan->step ? plan->step : 1;
	__u32 most, reachable, level;
	__s32 place, heaviest;

	if (plan->top == 0)
		return;
	place = first_from(plan->first, plan->levels, turn->position + 1, turn->level);
	if (place != NOBODY) {
		pick_at(search, turn, place);
		return;
	}
	heaviest = champion_of(search);
	if (heaviest == NOBODY) {
		if (turn->position >= 0 && turn->level <= step)
			return;
		turn->position = -1;
		turn->level = plan->top;
		return;
	}
	most = destination_at(search->destinations, heaviest)->weight;
	reachable = most - (most - 1) % step;
	level = turn->level > step ? turn->level - step : plan->top;
	turn->level = level < reachable ? level : reachable;
	place = first_from(plan->first, plan->levels, 0, turn->level);
	if (place != NOBODY)
		pick_at(search, turn, place);
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
	member = member_at(search, place);
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
	member = member_at(search, search->place);
	if (is_eligible(destination_at(search->destinations, member)))
		search->picked = member;
	else if (plan->hash & HASH_FALLBACK)
		bpf_loop(plan->count, consider_slot, search, 0);
}

/* Into `picked`; NOBODY stays there where nobody can be. */
static __always_inline void pick(struct search *search, struct turn *turn, const struct asked *asked)
{
	search->picked = NOBODY;
	if (search->plan->hash)
		pick_hashed(search, asked);
	else if (search->plan->step > 0)
		pick_weighted(search, turn);
	else if (search->plan->rules & RULE_IN_TURN)
		pick_next(search, turn);
	else
		search->picked = champion_of(search);
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
			.nodes = bpf_map_lookup_elem(&nodes, &ONLY),
			.destinations = bpf_map_lookup_elem(&destinations, &ONLY),
			.picked = NOBODY,
		},
		.asked = { client_fold, client_port, destination_fold },
	};

	if (!picking.schedule || !picking.search.members || !picking.search.nodes || !picking.search.destinations)
		return NOBODY;
	bpf_loop(TURN_ATTEMPTS, pick_once, &picking, 0);
	return picking.search.picked;
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
