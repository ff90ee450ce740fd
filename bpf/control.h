/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the daemon asks for: programs that it runs itself (BPF_PROG_TEST_RUN), with the question in a packet's place, where it
 * finds the answer. So whatever changes a connection or a schedule does so in here, where the packets are.
 */
#ifndef SLUICE_CONTROL_H
#define SLUICE_CONTROL_H

#include "advance.h"
#include "draw.h"
#include "schedule.h"

#define SPINS 64

/* Looks for a destination in a list. */
struct lookout {
	const struct members *members;
	__u32 first;
	__u32 wanted;
	__s32 place; /* -1: it is not there */
};

static long look_at(__u32 place, void *context)
{
	struct lookout *lookout = context;

	if (lookout->members->all[(lookout->first + place) & (MEMBERS_MAX - 1)] != lookout->wanted)
		return 0;
	lookout->place = place;
	return 1;
}

/* rr.ts and wrr.ts, changed(): where a turn stands in the new plan. */
static __always_inline void move_turn(struct turn *turn, const struct plan *before, const struct members *list,
				      const struct edit_schedule *edit)
{
	const struct plan *plan = &edit->plan;
	struct lookout lookout = { .members = list, .first = plan->first, .place = -1 };

	if (edit->edit == EDIT_WEIGHED)
		return;
	if (edit->edit == EDIT_RESUMED) {
		turn->position = edit->position;
		turn->level = edit->level;
		return;
	}
	if (plan->rules & RULE_DRAWN) {
		/* Chance goes on as it was, whoever comes or goes. */
		turn->position = -1;
		if (edit->edit == EDIT_BOUND)
			turn->level = edit->level;
		return;
	}
	if (edit->edit == EDIT_BOUND || plan->step > 0) {
		turn->position = -1;
	} else if (turn->position >= 0) {
		lookout.wanted = list->all[(before->first + turn->position) & (MEMBERS_MAX - 1)];
		if (edit->edit == EDIT_REMOVED && edit->which == lookout.wanted) {
			turn->position--;
		} else {
			bpf_loop(plan->count, look_at, &lookout, 0);
			turn->position = lookout.place;
		}
	}
	if (edit->edit == EDIT_BOUND)
		turn->level = 0;
	if (turn->level > plan->top || turn->level == 0)
		turn->level = plan->top;
	else if (plan->step > 1)
		turn->level = turn->level / plan->step * plan->step + 1;
}

/* A service gets another plan. Whoever picks meanwhile does so by one or the other. */
SEC("xdp")
int edit_schedule(struct xdp_md *context)
{
	struct edit_schedule *told = (void *)(long)context->data;
	struct members *list = bpf_map_lookup_elem(&members, &ONLY);
	struct edit_schedule edit;
	struct schedule *schedule;
	union turn_word before, after;

	if ((void *)(told + 1) > (void *)(long)context->data_end || !list)
		return XDP_ABORTED;
	edit = *told;
	schedule = bpf_map_lookup_elem(&schedules, &edit.service);
	if (!schedule)
		return XDP_ABORTED;
	draw_up(&edit.plan, schedule->plans[schedule->turn.turn.plan & 1].tag != edit.plan.tag);
	for (int attempt = 0; attempt < TURN_ATTEMPTS; attempt++) {
		before.word = after.word = *(volatile __u64 *)&schedule->turn.word;
		move_turn(&after.turn, &schedule->plans[before.turn.plan & 1], list, &edit);
		after.turn.plan = before.turn.plan + 1;
		schedule->plans[after.turn.plan & 1] = edit.plan;
		if (__sync_val_compare_and_swap(&schedule->turn.word, before.word, after.word) == before.word) {
			edit.position = after.turn.position;
			edit.level = after.turn.level;
			*told = edit;
			return XDP_PASS;
		}
	}
	return XDP_ABORTED;
}

/* The director has counted a connection, or one less. */
SEC("xdp")
int play_matches(struct xdp_md *context)
{
	struct play_matches *told = (void *)(long)context->data;

	if ((void *)(told + 1) > (void *)(long)context->data_end)
		return XDP_ABORTED;
	climb(told->destination, BY_ANYTHING);
	return XDP_PASS;
}

/* Whose turn it is: for a connection that the director opens itself. */
SEC("xdp")
int pick_destination(struct xdp_md *context)
{
	struct pick_destination *pick = (void *)(long)context->data;

	if ((void *)(pick + 1) > (void *)(long)context->data_end)
		return XDP_ABORTED;
	pick->picked = pick_of(pick->service, pick->client_fold, pick->client_port, pick->destination_fold);
	return XDP_PASS;
}

/* From now on the connection is the director's. Its word as it was, or 0 when it is too busy. */
static __always_inline __u64 take(struct record *connection)
{
#pragma clang loop unroll(disable)
	for (int spin = 0; spin < SPINS; spin++) {
		__u64 before = *(volatile __u64 *)&connection->word;

		if (before & FLAG_DIRECTORS)
			return before;
		if (before & FLAG_BUSY)
			continue;
		if (__sync_val_compare_and_swap(&connection->word, before, before | FLAG_DIRECTORS) == before)
			return before | FLAG_DIRECTORS;
	}
	return 0;
}

/* The question, copied to where helpers take it from, and the connection that it is about. */
#define ASKED(context, change, key)                                                    \
	if ((void *)((change) + 1) > (void *)(long)(context)->data_end || !now)        \
		return XDP_ABORTED;                                                    \
	(key) = (change)->flow

/* What the table says of a connection. */
SEC("xdp")
int look_at_connection(struct xdp_md *context)
{
	struct change_connection *change = (void *)(long)context->data;
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);
	struct record *connection;
	struct flow_key key;
	__u64 word;

	ASKED(context, change, key);
	connection = find(&key, now, &word);
	change->found = connection != NULL;
	if (connection)
		describe_connection(&change->connection, connection);
	return XDP_PASS;
}

/* What a record says, for who looks at all of them. */
SEC("xdp")
int read_record(struct xdp_md *context)
{
	struct change_connection *change = (void *)(long)context->data;
	struct record *connection;
	__u32 number;

	if ((void *)(change + 1) > (void *)(long)context->data_end)
		return XDP_ABORTED;
	number = change->number;
	connection = bpf_map_lookup_elem(&connections, &number);
	change->found = connection && connection->word >> EPOCH_SHIFT;
	if (connection) {
		describe_flow(&change->flow, connection);
		describe_connection(&change->connection, connection);
	}
	return XDP_PASS;
}

/* The director takes a connection, if it is there, and is told all about it. */
SEC("xdp")
int take_connection(struct xdp_md *context)
{
	struct change_connection *change = (void *)(long)context->data;
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);
	struct record *connection;
	struct flow_key key;
	__u64 word;

	ASKED(context, change, key);
	connection = find(&key, now, &word);
	change->found = connection && take(connection);
	if (connection)
		describe_connection(&change->connection, connection);
	return XDP_PASS;
}

/* The director gives a connection of its own away, or, with FLAG_DIRECTORS, says that it has one. */
SEC("xdp")
int give_connection(struct xdp_md *context)
{
	struct change_connection *change = (void *)(long)context->data;
	struct destinations *all = bpf_map_lookup_elem(&destinations, &ONLY);
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);
	struct record *connection;
	struct connection given;
	struct flow_key key;
	__u32 number, admission;
	__u64 word;

	ASKED(context, change, key);
	if (!all)
		return XDP_ABORTED;
	given = change->connection;
	given.word |= kind_of(&key);
	connection = find(&key, now, &word);
	if (!connection) {
		change->found = 0;
		/* What is a server's answer as well is the director's to tell apart. */
		if (bpf_map_lookup_elem(&replies, &key))
			return XDP_PASS;
		connection = take_record(&number);
		if (!connection)
			return XDP_PASS;
		fill_record(connection, &key, &given);
		connection->word = given.word;
		change->found = publish(&key, number);
		if (change->found)
			count_half_open(is_half_open(given.word, given.packets));
		return XDP_PASS;
	}
	/* What is in here belongs to the packets, unless its time is over: then the director has forgotten it, or will. */
	change->found = 0;
	if (!(word & FLAG_DIRECTORS)) {
		word = is_over(connection, ticks_now()) ? take(connection) : 0;
		if (!word)
			return XDP_PASS;
		/* Whoever ends what packets own sees to its count. */
		if ((word ^ given.word) >> EPOCH_SHIFT)
			unbind(all, connection->destination, word);
	}
	admission = connection->admission;
	count_half_open(is_half_open(given.word, given.packets) - is_half_open(word, connection->packets));
	fill_record(connection, &key, &given);
	if (change->keeps)
		connection->admission = admission;
	__sync_lock_test_and_set(&connection->word, given.word);
	change->found = 1;
	return XDP_PASS;
}

/* Forgets a connection, if it is still the one of this epoch. */
SEC("xdp")
int forget_connection(struct xdp_md *context)
{
	struct change_connection *change = (void *)(long)context->data;
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);
	struct record *connection;
	struct flow_key key;
	__u64 word;
	bool was_half_open;

	ASKED(context, change, key);
	change->found = 0;
	connection = find(&key, now, &word);
	if (!connection || (word ^ change->connection.word) >> EPOCH_SHIFT || !take(connection))
		return XDP_PASS;
	describe_connection(&change->connection, connection);
	was_half_open = is_half_open(connection->word, connection->packets);
	change->found = delete(&key, connection, now);
	if (change->found)
		count_half_open(-was_half_open);
	return XDP_PASS;
}

#endif /* SLUICE_CONTROL_H */
