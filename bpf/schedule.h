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

/*
 * Who has won all matches of a list; NOBODY when he may not be picked, and so nobody may. On its own, as all here that looks
 * maps up, for the stack's sake.
 */
static __noinline __s32 champion_of(__u32 first, __u32 rules)
{
	struct nodes *all = bpf_map_lookup_elem(&nodes, &ONLY);
	struct destinations *in = bpf_map_lookup_elem(&destinations, &ONLY);
	__u32 winner;

	if (!all || !in)
		return NOBODY;
	winner = *(volatile __u64 *)&all->all[(first + 1) & (MEMBERS_MAX - 1)] & WINNER_MASK;
	if (winner == EMPTY_MEMBER || !may_be_picked(destination_at(in, winner), rules))
		return NOBODY;
	return winner;
}

static __noinline __s32 member_at(__u32 first, __u32 place)
{
	struct members *list = bpf_map_lookup_elem(&members, &ONLY);

	return list ? (__s32)list->all[(first + place) & (MEMBERS_MAX - 1)] : NOBODY;
}

/* The one at a place has its turn. */
static __always_inline __s32 pick_at(const struct plan *plan, struct turn *turn, __s32 place)
{
	if (place == NOBODY)
		return NOBODY;
	turn->position = place;
	return member_at(plan->first, place);
}

/* rr.ts. */
static __always_inline __s32 pick_next(const struct plan *plan, struct turn *turn)
{
	__s32 place = first_from(plan->first, plan->levels, turn->position + 1, 1);

	if (place == NOBODY)
		place = first_from(plan->first, plan->levels, 0, 1);
	return pick_at(plan, turn, place);
}

/* The largest weight; 0: nobody may be picked. */
static __noinline __u32 heaviest_of(__u32 first, __u32 rules)
{
	struct destinations *in = bpf_map_lookup_elem(&destinations, &ONLY);
	__s32 champion = champion_of(first, rules);

	return champion == NOBODY || !in ? 0 : destination_at(in, champion)->weight;
}

/* The next level, where nobody is left at this one; 0: there is nobody at all. */
static __always_inline __u32 next_level(const struct plan *plan, const struct turn *turn)
{
	__u32 step = plan->step ? plan->step : 1;
	__u32 most = heaviest_of(plan->first, plan->rules), reachable, level;

	if (most == 0)
		return 0;
	reachable = most - (most - 1) % step;
	level = turn->level > step ? turn->level - step : plan->top;
	return level < reachable ? level : reachable;
}

/* wrr.ts: rounds over the list at a falling level. The champion is the heaviest. */
static __always_inline __s32 pick_weighted(const struct plan *plan, struct turn *turn)
{
	__s32 place;
	__u32 level;

	if (plan->top == 0)
		return NOBODY;
	place = first_from(plan->first, plan->levels, turn->position + 1, turn->level);
	if (place != NOBODY)
		return pick_at(plan, turn, place);
	level = next_level(plan, turn);
	if (level == 0) {
		if (turn->position >= 0 && turn->level <= plan->step)
			return NOBODY;
		turn->position = -1;
		turn->level = plan->top;
		return NOBODY;
	}
	turn->level = level;
	return pick_at(plan, turn, first_from(plan->first, plan->levels, 0, level));
}

static __always_inline __u64 overhead_of(const struct destination *destination)
{
	return load_of(destination, RULE_OVERHEAD);
}

/* Whether the second one is less loaded for its weight. */
static __noinline bool is_less_loaded(__u32 second, __u32 first)
{
	struct destinations *in = bpf_map_lookup_elem(&destinations, &ONLY);
	struct destination *one, *other;

	if (!in)
		return false;
	one = destination_at(in, first);
	other = destination_at(in, second);
	return overhead_of(other) * one->weight < overhead_of(one) * other->weight;
}

/* twos.ts. */
static __always_inline __s32 pick_drawn(const struct plan *plan, struct turn *turn)
{
	__s32 first = drawn_by(plan->first, plan->levels, turn->level + CHANCE_STEP), second;

	if (first == NOBODY)
		return NOBODY;
	turn->level += 2 * CHANCE_STEP;
	second = drawn_by(plan->first, plan->levels, turn->level);
	return second != NOBODY && is_less_loaded(second, first) ? second : first;
}

/* A list of slots, and what decides about one. */
struct slots {
	__u32 first;
	__u32 count;
	__u32 hash;
	__u32 value;
	__u32 place; /* where it begins */
	__s32 picked;
};

/* hash_32() of include/linux/hash.h. */
static __always_inline __u32 slot_of(__u32 value)
{
	return value * 0x61c88647 >> (32 - HASH_BITS);
}

/* Who has a slot, if he may be picked. */
static __always_inline __s32 owner_of(const struct slots *slots, __u32 place)
{
	struct members *list = bpf_map_lookup_elem(&members, &ONLY);
	struct destinations *in = bpf_map_lookup_elem(&destinations, &ONLY);
	__u32 member;

	if (!list || !in)
		return NOBODY;
	member = list->all[(slots->first + place) & (MEMBERS_MAX - 1)];
	return is_eligible(destination_at(in, member)) ? (__s32)member : NOBODY;
}

/* Looks through slots from one on, as ip_vs_sh_get_fallback() and ip_vs_mh_get_fallback() do. */
static long consider_slot(__u32 offset, void *context)
{
	struct slots *slots = context;
	__u32 place;

	if (slots->hash & HASH_MAGLEV)
		place = siphash((slots->place + offset) % slots->count + slots->value) % slots->count;
	else /* The first slot is added twice, as the offset's start and as the hash. */
		place = (slots->place + offset + slots->place) % HASH_SLOTS;
	slots->picked = owner_of(slots, place);
	return slots->picked != NOBODY;
}

/* sh.ts, dh.ts and mh.ts: who has the slot that a value falls into. */
__s32 __attribute__((noinline)) picked_by_hash(__u32 first, __u32 count, __u32 hash, __u32 value)
{
	struct slots slots = { .first = first, .count = count, .hash = hash, .value = value, .picked = NOBODY };

	if (count == 0)
		return NOBODY;
	slots.place = hash & HASH_MAGLEV ? siphash(value) % count : slot_of(value);
	slots.picked = owner_of(&slots, slots.place);
	if (slots.picked == NOBODY && hash & HASH_FALLBACK)
		bpf_loop(count, consider_slot, &slots, 0);
	return slots.picked;
}

static __always_inline __s32 pick_hashed(const struct plan *plan, __u32 client_fold, __u32 client_port,
					 __u32 destination_fold)
{
	__u32 value = plan->hash & HASH_DESTINATION ? destination_fold : client_fold;

	if (plan->hash & HASH_PORT)
		value += client_port;
	return picked_by_hash(plan->first, plan->count, plan->hash, value);
}

/* Of all that load and turn decide about. */
static __always_inline __s32 pick(const struct plan *plan, struct turn *turn)
{
	if (plan->step > 0)
		return pick_weighted(plan, turn);
	if (plan->rules & RULE_DRAWN)
		return pick_drawn(plan, turn);
	if (plan->rules & RULE_IN_TURN)
		return pick_next(plan, turn);
	return champion_of(plan->first, plan->rules);
}

static __always_inline __u64 turn_of(const struct schedule *schedule)
{
	return *(volatile __u64 *)&schedule->turn.word;
}

static __always_inline const struct plan *plan_at(const struct schedule *schedule, __u64 word)
{
	union turn_word turn = { .word = word };

	return &schedule->plans[turn.turn.plan & 1];
}

/* A list that is no longer in force may be another's by now. */
static __always_inline bool is_in_force(const struct schedule *schedule, __u64 word)
{
	union turn_word before = { .word = word }, now = { .word = turn_of(schedule) };

	return before.turn.plan == now.turn.plan;
}

/*
 * Whose turn it is, and whose is next; tried anew where somebody else has had it meanwhile. On its own for the stack's sake, as
 * picked_by_hash().
 */
__s32 __attribute__((noinline)) picked_in_turn(__u32 service)
{
	struct schedule *schedule = bpf_map_lookup_elem(&schedules, &service);

	if (!schedule)
		return NOBODY;
#pragma clang loop unroll(disable)
	for (int attempt = 0; attempt < TURN_ATTEMPTS; attempt++) {
		__u64 before = turn_of(schedule);
		union turn_word after = { .word = before };
		__s32 picked = pick(plan_at(schedule, before), &after.turn);

		if (!is_in_force(schedule, before))
			continue;
		if (after.word == before)
			return picked;
		if (__sync_val_compare_and_swap(&schedule->turn.word, before, after.word) == before)
			return picked;
	}
	return NOBODY;
}

/* A real server of a service; or NOBODY. Global, so that a verifier looks at it once. */
__s32 __attribute__((noinline)) pick_of(__u32 service, __u32 client_fold, __u32 client_port, __u32 destination_fold)
{
	struct schedule *schedule = bpf_map_lookup_elem(&schedules, &service);
	__u64 word;
	__s32 picked;

	if (!schedule)
		return NOBODY;
	word = turn_of(schedule);
	if (!plan_at(schedule, word)->hash)
		return picked_in_turn(service);
	picked = pick_hashed(plan_at(schedule, word), client_fold, client_port, destination_fold);
	return is_in_force(schedule, word) ? picked : NOBODY;
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
