/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * New connections: whether a packet may open one, to whom, and in whose place. src/ipvs/connection-opener.ts, for services
 * that `schedules` has a list of.
 */
#ifndef SLUICE_OPEN_H
#define SLUICE_OPEN_H

#include "advance.h"
#include "template.h"

#define NEW_CONNECTION_MS 3000 /* src/ipvs/connections/protocol-states.ts */

#define STATE_FIN_WAIT 4
#define STATE_TIME_WAIT 5
#define STATE_CLOSE 6
#define REUSE_FIN_WAIT 2

static __always_inline __u32 protocol_bit(const struct packet *packet)
{
	return packet->flow.protocol == IPPROTO_TCP ? CARRIES_TCP : CARRIES_UDP;
}

static __always_inline bool is_first(const struct packet *packet)
{
	return packet->flow.protocol == IPPROTO_TCP && packet->tcp_flags & TCP_SYN;
}

/* No client has such an address, or only one on the host itself: isSourceMartian and isSourceLoopback in packet.ts. */
static __always_inline bool is_odd_client(const struct packet *packet)
{
	const __be32 *source = packet->flow.source;
	__u32 last = bpf_ntohl(source[3]);
	__u8 first = last >> 24;

	if (packet->flow.family == 6)
		return bpf_ntohl(source[0]) >> 24 == 0xff || (!(source[0] | source[1] | source[2]) && last == 1);
	return last == 0 || last == 0xffffffff || first == 127 || first >> 4 == 0xe;
}

/* mayOpen() in packet-event.ts. */
static __always_inline bool may_open(const struct packet *packet, const struct settings *now)
{
	if (!(now->opened & protocol_bit(packet)) || is_odd_client(packet))
		return false;
	if (packet->flow.source_port == bpf_htons(FTP_DATA_PORT))
		return false;
	if (packet->flow.protocol == IPPROTO_UDP)
		return true;
	return !(packet->tcp_flags & TCP_RST) && (packet->tcp_flags & TCP_SYN || now->is_sloppy);
}

/* is_new_conn_expected(): a client's first packet on an entry that has ended. */
static __always_inline bool is_reused(const struct packet *packet, __u64 word, const struct settings *now)
{
	__u32 state = state_of(word);

	if (!is_first(packet) || !now->reuse_mode || word & FLAG_CONTROLLED)
		return false;
	if (state == STATE_TIME_WAIT || state == STATE_CLOSE)
		return true;
	return now->reuse_mode & REUSE_FIN_WAIT && state == STATE_FIN_WAIT && word & FLAG_NO_OUTPUT;
}

static __always_inline __u64 new_word(const struct service *service, const struct destination *destination)
{
	__u32 control = service->is_persistent ? FLAG_CONTROLLED : 0;
	struct tally *counts = bpf_map_lookup_elem(&tally, &ONLY);
	__u64 epoch = 1;

	if (counts) {
		/* The daemon's own are the odd ones. */
		epoch = __sync_fetch_and_add(&counts->epoch, 2) + 2;
		__sync_fetch_and_add(&counts->opened, 1);
	}
	return epoch << EPOCH_SHIFT | destination->flags | control;
}

/* All but its word. */
static __always_inline void fill(struct record *connection, const struct packet *packet, const struct service *service,
				 __s32 picked, const struct destination *destination)
{
	fill_flow(connection, &packet->flow);
	connection->seen = packet->ticks;
	connection->packets = 0;
	connection->timeout = NEW_CONNECTION_MS;
	connection->destination = picked;
	connection->port = port_of(packet, service, destination);
	connection->admission = 0;
}

static __always_inline bool is_masqueraded(__u64 word)
{
	return (word & FORWARDING_MASK) == FORWARDING_MASQUERADE;
}

static __always_inline struct way *way_to_client(const struct packet *packet)
{
	struct client_key client;

	__builtin_memcpy(client.client, packet->flow.source, sizeof(client.client));
	__builtin_memcpy(client.service, packet->flow.destination, sizeof(client.service));
	return bpf_map_lookup_elem(&client_ways, &client);
}

/* From now on what a masqueraded connection's server sends is known, if it is how that gets to the client. */
static __noinline void expect_reply(const struct packet *packet, const struct record *connection,
				    const struct destination *destination)
{
	struct expected *expected = bpf_map_lookup_elem(&expectations, &ONLY);
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);
	struct way *way;
	__u64 word;

	if (!expected || !now)
		return;
	way = way_to_client(packet);
	if (!way)
		return;
	__builtin_memset(expected, 0, sizeof(*expected));
	expected->flow.source_port = connection->port;
	expected->flow.destination_port = packet->flow.source_port;
	expected->flow.protocol = packet->flow.protocol;
	expected->flow.family = packet->flow.family;
	__builtin_memcpy(expected->flow.source, destination->address, sizeof(expected->flow.source));
	__builtin_memcpy(expected->flow.destination, packet->flow.source, sizeof(expected->flow.destination));
	expected->reply.way = *way;
	__builtin_memcpy(expected->reply.address, packet->flow.destination, sizeof(expected->reply.address));
	expected->reply.port = packet->flow.destination_port;
	/* What is a client's packet of another connection as well is the director's to tell apart. */
	if (find(&expected->flow, now, &word))
		return;
	/* Where two services share a server, the first one's connection that is known is found, as by the director. */
	bpf_map_update_elem(&replies, &expected->flow, &expected->reply, BPF_NOEXIST);
}

/* Why nobody was assigned. */
static __always_inline enum verdict why_not(__s32 assigned)
{
	return assigned == NOBODY ? VERDICT_PASS_NO_SERVER : VERDICT_PASS_DIRECTOR;
}

/* A connection to a destination on which it counts already. NULL when there is no room. */
static __noinline struct record *begin(const struct packet *packet, const struct service *service, __s32 picked,
				       struct destinations *all)
{
	struct destination *destination = destination_at(all, picked);
	__u64 word = new_word(service, destination) | kind_of(&packet->flow);
	__u32 number;
	struct record *record = take_record(&number);

	if (record) {
		fill(record, packet, service, picked, destination);
		record->word = word;
	}
	if (!record || !publish(&packet->flow, number)) {
		unbind(all, picked, word);
		return NULL;
	}
	count_half_open(1);
	__sync_fetch_and_add(&destination->connections, 1);
	if (is_masqueraded(word))
		expect_reply(packet, record, destination);
	return record;
}

/* A connection for a packet that has none. NULL, and `verdict` says why not. */
static __always_inline struct record *open_new(const struct packet *packet, const struct service *service,
					       struct destinations *all, const struct settings *now,
					       enum verdict *verdict)
{
	struct record *record;
	__s32 picked;

	*verdict = VERDICT_PASS_HALF_OPEN;
	if (!has_room_for_beginnings(now))
		return NULL;
	picked = assign(packet, service, all, now);
	*verdict = why_not(picked);
	if (picked < 0)
		return NULL;
	record = begin(packet, service, picked, all);
	/* The table is full, or another packet of the same client was faster. */
	if (!record)
		*verdict = VERDICT_PASS_FULL;
	return record;
}

/* The same entry for another connection, to whom it is assigned. The one that ends still counted while it was. */
static __noinline enum verdict open_again(struct record *connection, __u64 before, const struct packet *packet,
					  const struct service *service, __s32 picked)
{
	struct destinations *all = bpf_map_lookup_elem(&destinations, &ONLY);
	struct destination *destination;
	__u64 word;

	if (!all)
		return VERDICT_PASS_DIRECTOR;
	destination = destination_at(all, picked);
	word = new_word(service, destination) | kind_of(&packet->flow);
	if (__sync_val_compare_and_swap(&connection->word, before, word | FLAG_BUSY) != before) {
		unbind(all, picked, word);
		return VERDICT_PASS_DIRECTOR;
	}
	unbind(all, connection->destination, before);
	count_half_open(1 - is_half_open(before, connection->packets));
	fill(connection, packet, service, picked, destination);
	__sync_fetch_and_add(&destination->connections, 1);
	__sync_lock_test_and_set(&connection->word, word);
	if (is_masqueraded(word))
		expect_reply(packet, connection, destination);
	return VERDICT_GO_ON;
}

#endif /* SLUICE_OPEN_H */
