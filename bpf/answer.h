/* SPDX-License-Identifier: GPL-2.0-only */
/* A masqueraded server's packet, which gets the service's address back: src/ipvs/outgoing.ts. */
#ifndef SLUICE_ANSWER_H
#define SLUICE_ANSWER_H

#include "find.h"
#include "forward.h"
#include "advance.h"

static __always_inline enum verdict answer(struct __sk_buff *skb, const struct packet *packet, struct reply *reply,
					   const struct settings *now, struct passage *passage)
{
	struct connection *connection = find_answered(packet, reply);
	struct destination *destination;
	enum verdict verdict;

	if (!connection || is_over(connection))
		return VERDICT_PASS_UNKNOWN;
	if (connection->word & (FLAG_DIRECTORS | FLAG_BUSY))
		return VERDICT_PASS_DIRECTOR;
	if (!packet->is_from_lane && reply->generation != now->generation)
		return VERDICT_PASS_OLD;
	if (!packet->is_from_lane && reply->arrival != skb->ingress_ifindex)
		return VERDICT_PASS_ELSEWHERE;
	destination = destination_of(connection);
	if (!destination || !destination->is_available)
		return VERDICT_PASS_DIRECTOR;
	passage->way = reply->way;
	verdict = check_way(skb, packet, &passage->way, true, now->generation);
	if (verdict != VERDICT_GO_ON)
		return verdict;
	if (!advance(connection, destination, packet, true, now, &passage->is_news))
		return VERDICT_PASS_DIRECTOR;
	reply->generation = now->generation;
	reply->arrival = skb->ingress_ifindex;
	count_packet(packet, destination, true);
	passage->destination = connection->destination;
	passage->state = state_of(connection->word);
	if (passage->is_news) {
		struct flow_key key = {
			.source_port = packet->flow.destination_port,
			.destination_port = reply->port,
			.protocol = packet->flow.protocol,
			.family = packet->flow.family,
		};

		__builtin_memcpy(key.source, packet->flow.destination, sizeof(key.source));
		__builtin_memcpy(key.destination, reply->address, sizeof(key.destination));
		tell_director(&key, connection);
	}
	__builtin_memcpy(passage->end.address, reply->address, sizeof(passage->end.address));
	passage->end.port = reply->port;
	if (rewrite(skb, packet, &passage->end, true) < 0 || send_by(skb, packet, &passage->way) < 0)
		return VERDICT_DROP_NO_MEMORY;
	return VERDICT_FORWARD_REPLY;
}

#endif /* SLUICE_ANSWER_H */
