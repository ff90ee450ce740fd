/* SPDX-License-Identifier: GPL-2.0-only */
/* A masqueraded server's packet, which gets the service's address back: src/ipvs/outgoing.ts. */
#ifndef SLUICE_ANSWER_H
#define SLUICE_ANSWER_H

#include "find.h"
#include "forward.h"
#include "advance.h"

static __noinline enum verdict answer(frame_t *frame, const struct packet *packet, struct reply *reply,
					   const struct settings *now, struct passage *passage)
{
	struct destinations *all = bpf_map_lookup_elem(&destinations, &ONLY);
	struct destination *destination;
	struct record *connection;
	enum verdict verdict;
	__u32 which;
	__u64 word;

	if (!all)
		return VERDICT_PASS_UNKNOWN;
	connection = find_answered(packet, reply, all, now, &word);
	if (!connection || is_over(connection, packet->ticks))
		return VERDICT_PASS_UNKNOWN;
	if (word & (FLAG_DIRECTORS | FLAG_BUSY))
		return VERDICT_PASS_DIRECTOR;
	if (!packet->is_from_lane && reply->generation != now->generation)
		return VERDICT_PASS_OLD;
	if (!packet->is_from_lane && reply->arrival != frame->ingress_ifindex)
		return VERDICT_PASS_ELSEWHERE;
	which = connection->destination;
	destination = destination_at(all, which);
	if (!destination->is_available)
		return VERDICT_PASS_DIRECTOR;
	passage->way = reply->way;
	verdict = check_way(frame, packet, &passage->way, true, now->generation);
	if (verdict != VERDICT_GO_ON)
		return verdict;
	if (!advance(connection, word, destination, packet, true, now, &passage->is_news))
		return VERDICT_PASS_DIRECTOR;
	reply->generation = now->generation;
	reply->arrival = frame->ingress_ifindex;
	count_packet(packet, destination, true);
	passage->connection = connection;
	if (passage->is_news) {
		settle(all, which);
		tell_director(connection);
	}
	__builtin_memcpy(passage->end.address, reply->address, sizeof(passage->end.address));
	passage->end.port = reply->port;
	if (rewrite(frame, packet, &passage->end, true) < 0 || send_by(frame, packet, &passage->way) < 0)
		return VERDICT_DROP_NO_MEMORY;
	return VERDICT_FORWARD_REPLY;
}

#endif /* SLUICE_ANSWER_H */
