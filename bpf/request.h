/* SPDX-License-Identifier: GPL-2.0-only */
/* A client's packet: src/ipvs/incoming.ts. */
#ifndef SLUICE_REQUEST_H
#define SLUICE_REQUEST_H

#include "find.h"
#include "forward.h"
#include "single.h"
#include "tunnel.h"

/*
 * Whether the host has let the connection's packets in, by this interface, under what is in force. Where it is not asked before
 * connections are opened, nothing matters but whether it has their service's address still.
 */
static __always_inline enum verdict check_admission(const struct packet *packet, const struct record *connection,
						    __u32 admission, const struct settings *now)
{
	struct service *service;

	if (packet->is_from_lane)
		return VERDICT_GO_ON;
	if (is_first(packet) && !now->opens_on_wire)
		return VERDICT_PASS_EVENT;
	if (connection->admission == admission)
		return VERDICT_GO_ON;
	if (!now->opens_on_wire)
		return VERDICT_PASS_OLD;
	service = service_of(packet, now);
	return service && service->is_local ? VERDICT_GO_ON : VERDICT_PASS_OLD;
}

/* Goes on with an entry, as what it is or as a new connection. */
static __always_inline enum verdict renew(const struct packet *packet, struct record *connection,
					  __u64 word, struct destinations *all, const struct settings *now,
					  bool *is_new)
{
	struct destination *destination = destination_at(all, connection->destination);
	struct service *service;
	enum verdict verdict;
	__s32 picked;

	if (word & (FLAG_DIRECTORS | FLAG_BUSY) || !destination->is_available)
		return VERDICT_PASS_DIRECTOR;
	if (is_first(packet) && now->expires_nodest && destination->weight == 0)
		return VERDICT_PASS_DIRECTOR;
	if (!is_over(connection, packet->ticks) && !is_reused(packet, word, now))
		return VERDICT_GO_ON;
	service = service_of(packet, now);
	if (!service || service->index == NOT_CARRIED || !may_open(packet, now) || is_single(packet, service))
		return VERDICT_PASS_DIRECTOR;
	picked = assign(packet, service, all, now);
	verdict = picked < 0 ? why_not(picked) : open_again(connection, word, packet, service, picked);
	*is_new = verdict == VERDICT_GO_ON;
	return verdict;
}

/* Forwards a packet of a connection; its state moves on and its time begins anew. */
static __always_inline enum verdict forward_request(frame_t *frame, const struct packet *packet,
						    struct record *connection, __u64 word, struct destinations *all,
						    __u32 admission, const struct settings *now, struct passage *passage)
{
	struct destination *destination = destination_at(all, connection->destination);
	__u32 method = word & FORWARDING_MASK, which = connection->destination;
	struct tunnel *tunnel = NULL;
	enum verdict verdict = VERDICT_GO_ON;

	passage->way = destination->way;
	if (method == FORWARDING_TUNNEL) {
		tunnel = bpf_map_lookup_elem(&tunnels, &which);
		verdict = tunnel ? narrow_way(frame, packet, tunnel, &passage->way) : VERDICT_PASS_DIRECTOR;
	} else if (method != FORWARDING_ROUTE && method != FORWARDING_MASQUERADE) {
		verdict = VERDICT_PASS_DIRECTOR;
	}
	if (verdict != VERDICT_GO_ON)
		return verdict;
	verdict = check_way(frame, packet, &passage->way, method == FORWARDING_MASQUERADE, now->generation);
	if (verdict != VERDICT_GO_ON)
		return verdict;
	if (!advance(connection, word, destination, packet, false, now, &passage->is_news))
		return VERDICT_PASS_DIRECTOR;
	connection->admission = admission;
	passage->connection = connection;
	count_packet(packet, destination, false);
	if (method == FORWARDING_MASQUERADE) {
		__builtin_memcpy(passage->end.address, destination->address, sizeof(passage->end.address));
		passage->end.port = connection->port;
		if (rewrite(frame, packet, &passage->end, false) < 0)
			return VERDICT_DROP_NO_MEMORY;
	}
	if (send_by(frame, packet, &passage->way) < 0)
		return VERDICT_DROP_NO_MEMORY;
	if (tunnel) {
		if (encapsulate(frame, packet, tunnel, destination, now) < 0)
			return VERDICT_DROP_NO_MEMORY;
		passage->overhead = tunnel->overhead;
		return VERDICT_FORWARD_TUNNEL;
	}
	return method == FORWARDING_MASQUERADE ? VERDICT_FORWARD_MASQUERADE : VERDICT_FORWARD_ROUTE;
}

/* A connection for a packet of none, if it may open one here. */
static __always_inline struct record *open_for(const struct packet *packet, struct destinations *all,
					       const struct settings *now, struct passage *passage,
					       enum verdict *verdict)
{
	struct service *service;

	*verdict = VERDICT_PASS_UNKNOWN;
	if (!may_open(packet, now))
		return NULL;
	service = service_of(packet, now);
	if (!service || service->index == NOT_CARRIED)
		return NULL;
	if (!packet->is_from_lane && !(now->opens_on_wire && service->is_local)) {
		*verdict = VERDICT_PASS_EVENT;
		return NULL;
	}
	passage->is_single = is_single(packet, service);
	if (passage->is_single)
		return open_single(packet, service, all, now, verdict);
	return open_new(packet, service, all, now, verdict);
}

/* `connection` is what was found, with `word`, or NULL. */
static __always_inline enum verdict request(frame_t *frame, const struct packet *packet,
					    struct record *connection, __u64 word, const struct settings *now,
					    struct passage *passage)
{
	struct destinations *all = bpf_map_lookup_elem(&destinations, &ONLY);
	__u32 admission = admission_of(now->generation, frame->ingress_ifindex);
	enum verdict verdict;
	__u32 which;

	if (!all)
		return VERDICT_PASS_UNKNOWN;
	if (connection) {
		verdict = check_admission(packet, connection, admission, now);
		if (verdict == VERDICT_GO_ON)
			verdict = renew(packet, connection, word, all, now, &passage->is_new);
		if (verdict != VERDICT_GO_ON)
			return verdict;
	} else {
		connection = open_for(packet, all, now, passage, &verdict);
		if (!connection)
			return verdict;
		passage->is_new = true;
	}
	passage->is_news = passage->is_new;
	which = connection->destination;
	verdict = VERDICT_GO_ON;
	if (passage->is_new) {
		word = *(volatile __u64 *)&connection->word;
		/* The director may have taken it the moment that it was there. */
		if (word & (FLAG_DIRECTORS | FLAG_BUSY))
			verdict = VERDICT_PASS_DIRECTOR;
	}
	if (verdict == VERDICT_GO_ON)
		verdict = forward_request(frame, packet, connection, word, all, admission, now, passage);
	if (passage->is_single) {
		close_single(all, is_passed(verdict));
	} else if (passage->is_news) {
		settle(all, which);
		tell_director(connection);
	}
	return verdict;
}

#endif /* SLUICE_REQUEST_H */
