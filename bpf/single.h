/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One-packet scheduling: each datagram is a connection that ends with it, and that nobody finds (ipvsadm -o). Of a persistent
 * service the director hears of each, for its template's sake.
 */
#ifndef SLUICE_SINGLE_H
#define SLUICE_SINGLE_H

#include "open.h"

static __always_inline bool is_single(const struct packet *packet, const struct service *service)
{
	return service->is_one_packet && packet->flow.protocol == IPPROTO_UDP;
}

/* NULL, and `verdict` says why not. */
static __always_inline struct record *open_single(const struct packet *packet, const struct service *service,
						  struct destinations *all, const struct settings *now,
						  enum verdict *verdict)
{
	struct draft *single = bpf_map_lookup_elem(&drafts, &ONLY);
	struct schedule *schedule = bpf_map_lookup_elem(&schedules, &service->index);
	__s32 picked;

	*verdict = VERDICT_PASS_NO_SERVER;
	if (!single || !schedule)
		return NULL;
	single->schedule = service->index;
	single->turn_before = *(volatile __u64 *)&schedule->turn.word;
	picked = assign(packet, service, all, now);
	*verdict = why_not(picked);
	if (picked < 0)
		return NULL;
	single->turn_after = *(volatile __u64 *)&schedule->turn.word;
	fill(&single->connection, packet, service, picked, destination_at(all, picked));
	single->connection.word = destination_at(all, picked)->flags | kind_of(&packet->flow) | FLAG_ONE_PACKET |
				  (service->is_persistent ? FLAG_CONTROLLED : 0);
	return &single->connection;
}

/*
 * It counts no more. Of a packet that the director is to schedule it is as if nobody had been asked, unless others were since; but
 * where a template leads the client from now on.
 */
static __always_inline void close_single(struct destinations *all, bool is_passed)
{
	struct draft *single = bpf_map_lookup_elem(&drafts, &ONLY);
	struct destination *destination;
	struct schedule *schedule;
	bool is_undone;

	if (!single)
		return;
	destination = destination_at(all, single->connection.destination);
	is_undone = is_passed && !(single->connection.word & FLAG_CONTROLLED);
	/* Who was picked was not overloaded before. */
	unbind_below(all, single->connection.destination, single->connection.word,
		     is_undone ? destination->upper : destination->low);
	if (single->connection.word & FLAG_CONTROLLED)
		tell_director(&single->connection);
	if (!is_passed) {
		__sync_fetch_and_add(&destination->connections, 1);
		return;
	}
	schedule = bpf_map_lookup_elem(&schedules, &single->schedule);
	if (schedule && is_undone)
		__sync_val_compare_and_swap(&schedule->turn.word, single->turn_after, single->turn_before);
}

#endif /* SLUICE_SINGLE_H */
