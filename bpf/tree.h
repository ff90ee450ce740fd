/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who of a service's real servers is the least loaded: a tournament. The members of a list are its leaves, in the list's
 * order; a node has the better of its two children's winners, the left one of a tie. So the root has whom a look through the whole
 * list would find. Node 1 is the root, 2n and 2n + 1 are the children of n, and leaves are numbered on behind them.
 *
 * Whoever changes what decides about a member plays its matches anew afterwards, from its leaf to the root. Nobody waits for
 * anybody: a node comes by compare-and-swap, with a version that grows with each. Where that has failed twice, somebody else's
 * has succeeded who has looked at both children since the first attempt, and so has seen the change (Jayanti, "f-arrays",
 * PODC 2002). docs/decisions/0024-a-tournament.md.
 */
#ifndef SLUICE_TREE_H
#define SLUICE_TREE_H

#include "maps.h"

#define NOBODY (-1)

/* A list has room for 2 to 4,096 members. */
#define LEVELS_MAX 12

/*
 * A node:             A seat:
 *
 *      0        17        49    64       0       20      32       36      49    64
 *     | winner | version | tag |        | first | place | levels | rules | tag |
 *
 * Of a list from which chance draws, a node has what all below it that may be picked weigh together:
 *
 *      0      32        49    64
 *     | sum  | version | tag |
 */
#define SUM_MASK 0xffffffffULL
#define SUM_VERSION_MASK 0x1ffff00000000ULL
#define SUM_VERSION_STEP 0x100000000ULL
#define WINNER_MASK 0x1ffffULL
#define VERSION_MASK 0x1fffffffe0000ULL
#define VERSION_STEP 0x20000ULL
#define TAG_SHIFT 49
#define PLACE_SHIFT 20
#define LEVELS_SHIFT 32
#define RULES_SHIFT 36
#define RULES_MASK 0x7f

/* By which rules it matters who has how many connections. Weights, thresholds and who is there matter by all. */
#define BY_INACTIVE RULE_OVERHEAD
#define BY_ACTIVE (RULE_OVERHEAD | RULE_DELAY | RULE_OVERFLOWS)
#define BY_ANYTHING RULES_MASK

/* A list of members, and its matches. */
struct tournament {
	struct members *members;
	struct nodes *nodes;
	struct destinations *destinations;
	__u32 first;
	__u32 size;
};

/* By what its matches are decided. */
struct terms {
	__u64 tag; /* as nodes have it */
	__u32 rules;
};

/* Of a match. Of who may not be picked the weight is 0, so that everybody else is better. */
struct side {
	__u64 winner;
	__u64 load;
	__u64 weight;
};

static __always_inline bool is_eligible(const struct destination *destination)
{
	return destination->weight > 0 && !destination->is_overloaded && destination->is_available;
}

/* By these rules. */
static __always_inline bool may_be_picked(const struct destination *destination, __u32 rules)
{
	if (!is_eligible(destination))
		return false;
	return !(rules & RULE_OVERFLOWS) || destination->active <= destination->weight;
}

/* src/ipvs/schedulers/load.ts. */
static __always_inline __u64 load_of(const struct destination *destination, __u32 rules)
{
	__u64 active = destination->active;

	if (rules & RULE_OVERHEAD)
		return active * 257 + destination->inactive;
	if (!(rules & RULE_DELAY))
		return 1;
	return rules & RULE_IDLE_FIRST && active == 0 ? 0 : active + 1;
}

static __always_inline __u32 winner_at(const struct tournament *tournament, __u32 node)
{
	if (node >= tournament->size)
		return tournament->members->all[(tournament->first + node - tournament->size) & (MEMBERS_MAX - 1)];
	return *(volatile __u64 *)&tournament->nodes->all[(tournament->first + node) & (MEMBERS_MAX - 1)] & WINNER_MASK;
}

static __always_inline struct side side_at(const struct tournament *tournament, __u32 node, __u32 rules)
{
	__u32 winner = winner_at(tournament, node);
	const struct destination *destination = destination_at(tournament->destinations, winner);

	if (winner == EMPTY_MEMBER || !may_be_picked(destination, rules))
		return (struct side){ .winner = winner, .load = 1, .weight = 0 };
	return (struct side){
		.winner = winner,
		.load = load_of(destination, rules),
		.weight = rules & RULE_BY_WEIGHT ? destination->weight : 1,
	};
}

static __always_inline __u64 sum_at(const struct tournament *tournament, __u32 node)
{
	const struct destination *destination;
	__u32 member;

	if (node < tournament->size)
		return *(volatile __u64 *)&tournament->nodes->all[(tournament->first + node) & (MEMBERS_MAX - 1)] & SUM_MASK;
	member = winner_at(tournament, node);
	destination = destination_at(tournament->destinations, member);
	return member != EMPTY_MEMBER && is_eligible(destination) ? destination->weight : 0;
}

/* As play(). The daemon sees that all weights of a list together are less than a sum's bits may say. */
static __always_inline bool add_up(const struct tournament *tournament, __u32 node, __u64 tag)
{
	__u64 *place = &tournament->nodes->all[(tournament->first + node) & (MEMBERS_MAX - 1)];
	__u64 before = *(volatile __u64 *)place, after;

	if ((before ^ tag) >> TAG_SHIFT)
		return true;
	after = (sum_at(tournament, 2 * node) + sum_at(tournament, 2 * node + 1)) & SUM_MASK;
	after |= tag | ((before + SUM_VERSION_STEP) & SUM_VERSION_MASK);
	return __sync_val_compare_and_swap(place, before, after) == before;
}

/* A match. False when somebody else was faster. */
static __always_inline bool play(const struct tournament *tournament, __u32 node, const struct terms *terms)
{
	__u64 *place = &tournament->nodes->all[(tournament->first + node) & (MEMBERS_MAX - 1)];
	__u64 before = *(volatile __u64 *)place, after;
	struct side left, right;
	__s64 difference;

	/* Another list lies there by now. */
	if ((before ^ terms->tag) >> TAG_SHIFT)
		return true;
	left = side_at(tournament, 2 * node, terms->rules);
	right = side_at(tournament, 2 * node + 1, terms->rules);
	/* Who wins is as good as chance: no branch, which would be foretold wrongly every other time. */
	difference = right.load * left.weight - left.load * right.weight;
	after = left.winner ^ ((left.winner ^ right.winner) & (difference >> 63));
	after |= terms->tag | ((before + VERSION_STEP) & VERSION_MASK);
	return __sync_val_compare_and_swap(place, before, after) == before;
}

static __always_inline bool enter(struct tournament *tournament)
{
	tournament->members = bpf_map_lookup_elem(&members, &ONLY);
	tournament->nodes = bpf_map_lookup_elem(&nodes, &ONLY);
	tournament->destinations = bpf_map_lookup_elem(&destinations, &ONLY);
	return tournament->members && tournament->nodes && tournament->destinations;
}

/* On the way up. */
struct climber {
	struct tournament tournament;
	struct terms terms;
	__u32 node;
};

/* The next match, twice where the first attempt fails. */
static long play_next(__u32 level __attribute__((unused)), void *context)
{
	struct climber *climber = context;

	climber->node >>= 1;
	if (!play(&climber->tournament, climber->node, &climber->terms))
		play(&climber->tournament, climber->node, &climber->terms);
	return 0;
}

static long add_next(__u32 level __attribute__((unused)), void *context)
{
	struct climber *climber = context;

	climber->node >>= 1;
	if (!add_up(&climber->tournament, climber->node, climber->terms.tag))
		add_up(&climber->tournament, climber->node, climber->terms.tag);
	return 0;
}

/*
 * For itself: of this loop and the other one the compiler would make one, of whichever function it is to call. A loop of one that is
 * known the kernel writes out (optimize_bpf_loop() in kernel/bpf/verifier.c); else each step is an indirect call.
 */
static __noinline void add_all(struct climber *climber, __u32 levels)
{
	bpf_loop(levels, add_next, climber, 0);
}

/*
 * Something about a destination has changed that matters by `what` (BY_…): its matches are played anew. Global, so that a
 * verifier looks at it once; and so that it looks at a match once, they are a bpf_loop().
 */
int __attribute__((noinline)) climb(__u32 which, __u32 what)
{
	struct seats *all = bpf_map_lookup_elem(&seats, &ONLY);
	struct climber climber;
	__u64 seat;
	__u32 rules, levels;

	if (!all)
		return 0;
	seat = *(volatile __u64 *)&all->all[which & (DESTINATIONS_MAX - 1)];
	rules = (seat >> RULES_SHIFT) & RULES_MASK;
	if (!(rules & what) || !enter(&climber.tournament))
		return 0;
	levels = (seat >> LEVELS_SHIFT) & 0xf;
	climber.terms.rules = rules;
	climber.terms.tag = seat >> TAG_SHIFT << TAG_SHIFT;
	climber.tournament.first = seat & (MEMBERS_MAX - 1);
	climber.tournament.size = 1U << levels;
	climber.node = climber.tournament.size + ((seat >> PLACE_SHIFT) & ((1U << LEVELS_MAX) - 1));
	if (rules & RULE_DRAWN)
		add_all(&climber, levels);
	else
		bpf_loop(levels, play_next, &climber, 0);
	return 0;
}

/* Whether somebody below a node may be picked and has such a weight at least: of a list by the largest weight. */
static __always_inline bool reaches(const struct tournament *tournament, __u32 node, __u32 weight)
{
	__u32 member = winner_at(tournament, node);
	const struct destination *destination = destination_at(tournament->destinations, member);

	return member != EMPTY_MEMBER && is_eligible(destination) && destination->weight >= weight;
}

/* On the way to somebody with a weight. */
struct walker {
	struct tournament tournament;
	__u32 node; /* 0: there is nobody */
	__u32 weight;
};

/* From tree to tree to the right, each as large as can be, until one has somebody. */
static long step_right(__u32 step __attribute__((unused)), void *context)
{
	struct walker *walker = context;

	if (reaches(&walker->tournament, walker->node, walker->weight))
		return 1;
	walker->node++;
	/* Behind the last one of its level. */
	if ((walker->node & (walker->node - 1)) == 0) {
		walker->node = 0;
		return 1;
	}
	if ((walker->node & 1) == 0)
		walker->node >>= 1;
	return 0;
}

/* To the leftmost who reaches it. */
static long step_down(__u32 step __attribute__((unused)), void *context)
{
	struct walker *walker = context;

	if (walker->node >= walker->tournament.size)
		return 1;
	walker->node <<= 1;
	if (!reaches(&walker->tournament, walker->node, walker->weight))
		walker->node++;
	return 0;
}

/* The first place of a list, from one on, whose member may be picked and has such a weight at least; NOBODY. */
__s32 __attribute__((noinline)) first_from(__u32 first, __u32 levels, __u32 from, __u32 weight)
{
	struct walker walker = {
		.tournament = { .first = first, .size = 1U << (levels & 0xf) },
		.weight = weight,
	};
	__u32 size = walker.tournament.size;

	if (!enter(&walker.tournament) || from >= size)
		return NOBODY;
	walker.node = size + from;
	/* Mostly it is the very next. */
	if (reaches(&walker.tournament, walker.node, weight))
		return from;
	bpf_loop(2 * LEVELS_MAX, step_right, &walker, 0);
	if (walker.node == 0)
		return NOBODY;
	bpf_loop(LEVELS_MAX, step_down, &walker, 0);
	/* Somebody may just have changed. */
	return reaches(&walker.tournament, walker.node, weight) ? (__s32)(walker.node - size) : NOBODY;
}

/* To where the weights, summed up from the left, reach what was drawn. */
static long step_by_sum(__u32 step __attribute__((unused)), void *context)
{
	struct walker *walker = context;
	__u64 left;

	if (walker->node >= walker->tournament.size)
		return 1;
	walker->node <<= 1;
	left = sum_at(&walker->tournament, walker->node);
	if (left > 0 && walker->weight <= left)
		return 0;
	walker->weight -= left;
	walker->node++;
	return 0;
}

/* SplitMix32, as src/base/prng.ts: a number from 0 to `most`, by where the sequence has got to. */
#define CHANCE_STEP 0x9e3779b9

static __always_inline __u32 number_of(__u32 counter, __u64 most)
{
	counter ^= counter >> 16;
	counter *= 0x21f0aaad;
	counter ^= counter >> 15;
	counter *= 0x735a2d97;
	counter ^= counter >> 15;
	return (counter * (most + 1)) >> 32;
}

/* Whom chance draws from a list, by weight: an index of `destinations`; NOBODY, where nobody may be picked. */
__s32 __attribute__((noinline)) drawn_by(__u32 first, __u32 levels, __u32 counter)
{
	struct walker walker = {
		.tournament = { .first = first, .size = 1U << (levels & 0xf) },
		.node = 1,
	};

	if (!enter(&walker.tournament))
		return NOBODY;
	walker.weight = number_of(counter, sum_at(&walker.tournament, 1));
	bpf_loop(LEVELS_MAX, step_by_sum, &walker, 0);
	/* Somebody may just have changed. */
	return sum_at(&walker.tournament, walker.node) > 0 ? (__s32)winner_at(&walker.tournament, walker.node) : NOBODY;
}

#endif /* SLUICE_TREE_H */
