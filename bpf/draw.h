/* SPDX-License-Identifier: GPL-2.0-only */
/* A tournament's draw: who has which place, and all its matches, before a list is in force. */
#ifndef SLUICE_DRAW_H
#define SLUICE_DRAW_H

#include "tree.h"

/* Of a list that is drawn up. */
struct drawing {
	struct tournament tournament;
	struct terms terms;
	struct seats *seats;
	__u64 seat; /* the first one's */
};

/* No match is decided. Whoever still plays those of the list that lay here before finds another's. */
static long empty_node(__u32 index, void *context)
{
	struct drawing *drawing = context;
	struct tournament *tournament = &drawing->tournament;
	__u64 *node = &tournament->nodes->all[(tournament->first + 1 + index) & (MEMBERS_MAX - 1)];

	*(volatile __u64 *)node = drawing->terms.tag | (drawing->terms.rules & RULE_DRAWN ? 0 : WINNER_MASK);
	return 0;
}

/* From now on whoever changes this member plays its matches here. */
static long take_seat(__u32 place, void *context)
{
	struct drawing *drawing = context;
	struct tournament *tournament = &drawing->tournament;
	__u32 member = tournament->members->all[(tournament->first + place) & (MEMBERS_MAX - 1)];

	if (member != EMPTY_MEMBER)
		__sync_lock_test_and_set(&drawing->seats->all[member & (DESTINATIONS_MAX - 1)],
					 drawing->seat | (__u64)place << PLACE_SHIFT);
	return 0;
}

/* From the last one, which is among the lowest, to the root. */
static long decide_node(__u32 index, void *context)
{
	struct drawing *drawing = context;
	__u32 node = drawing->tournament.size - 1 - index;

	if (!play(&drawing->tournament, node, &drawing->terms))
		play(&drawing->tournament, node, &drawing->terms);
	return 0;
}

static long sum_node(__u32 index, void *context)
{
	struct drawing *drawing = context;
	__u32 node = drawing->tournament.size - 1 - index;

	if (!add_up(&drawing->tournament, node, drawing->terms.tag))
		add_up(&drawing->tournament, node, drawing->terms.tag);
	return 0;
}

/*
 * All matches of a plan's list; of a `fresh` one its members get their seats first. Who changes a member meanwhile either
 * plays its matches here, or did so before its seat was here, and then it is seen.
 */
static __always_inline void draw_up(const struct plan *plan, bool is_fresh)
{
	struct drawing drawing = {
		.tournament = {
			.first = plan->first,
			.size = 1U << (plan->levels & 0xf),
		},
		.terms = { .tag = (__u64)plan->tag << TAG_SHIFT, .rules = plan->rules },
		.seats = bpf_map_lookup_elem(&seats, &ONLY),
	};

	if (plan->hash || !drawing.seats || !enter(&drawing.tournament))
		return;
	if (is_fresh) {
		drawing.seat = drawing.terms.tag | (__u64)(plan->rules & RULES_MASK) << RULES_SHIFT |
			       (__u64)(plan->levels & 0xf) << LEVELS_SHIFT | (plan->first & (MEMBERS_MAX - 1));
		bpf_loop(drawing.tournament.size - 1, empty_node, &drawing, 0);
		bpf_loop(drawing.tournament.size, take_seat, &drawing, 0);
	}
	if (plan->rules & RULE_DRAWN)
		bpf_loop(drawing.tournament.size - 1, sum_node, &drawing, 0);
	else
		bpf_loop(drawing.tournament.size - 1, decide_node, &drawing, 0);
}

#endif /* SLUICE_DRAW_H */
