/* SPDX-License-Identifier: GPL-2.0-only */
/* A masqueraded server's packet, which gets the service's address back: src/ipvs/outgoing.ts. */
#ifndef SLUICE_ANSWER_H
#define SLUICE_ANSWER_H

#include "find.h"
#include "forward.h"
#include "advance.h"

static __always_inline enum verdict answer(struct __sk_buff *skb, const struct packet *packet, struct reply *reply,
					   const struct settings *now)
{
	struct connection *connection = find_answered(packet, reply);
	struct end service = { .port = reply->port };
	struct destination *destination;
	enum verdict verdict;
	bool has_changed = false;

	if (!connection || is_over(connection))
		return VERDICT_PASS_UNKNOWN;
	if (connection->word & (FLAG_DIRECTORS | FLAG_BUSY))
		return VERDICT_PASS_DIRECTOR;
	if (reply->way.generation != now->generation)
		return VERDICT_PASS_OLD;
	if (reply->arrival != skb->ingress_ifindex)
		return VERDICT_PASS_ELSEWHERE;
	destination = destination_of(connection);
	if (!destination || !destination->is_available)
		return VERDICT_PASS_DIRECTOR;
	verdict = check_way(skb, packet, &reply->way, true, now->generation);
	if (verdict != VERDICT_GO_ON)
		return verdict;
	if (!advance(connection, destination, packet, true, now, &has_changed))
		return VERDICT_PASS_DIRECTOR;
	count_packet(packet, destination, true);
	if (has_changed) {
		struct flow_key key = {
			.source_port = packet->flow.destination_port,
			.destination_port = reply->port,
			.protocol = packet->flow.protocol,
			.family = packet->flow.family,
		};

		__builtin_memcpy(key.source, packet->flow.destination, sizeof(key.source));
		__builtin_memcpy(key.destination, reply->address, sizeof(key.destination));
		tell(&key, connection);
	}
	__builtin_memcpy(service.address, reply->address, sizeof(service.address));
	if (rewrite(skb, packet, &service, true) < 0 || send_by(skb, packet, &reply->way) < 0)
		return VERDICT_DROP_NO_MEMORY;
	return VERDICT_FORWARD_REPLY;
}

#endif /* SLUICE_ANSWER_H */
