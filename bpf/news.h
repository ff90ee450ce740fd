/* SPDX-License-Identifier: GPL-2.0-only */
/* Tells the daemon of connections: what a record says, in its words, and the other way round. */
#ifndef SLUICE_NEWS_H
#define SLUICE_NEWS_H

#include "table.h"

/* How many bytes of news wait before the director is woken. */
#define NEWS_WOKEN_AT (NEWS_BYTES / 8)

/* For how many ticks a packet was the last one. It may have come a tick after the clock was read here. */
#define IDLE_MAX 0xffff0000

static __always_inline __u32 idle_ticks(const struct record *record, __u32 ticks)
{
	__u32 idle = ticks - record->seen;

	return idle > IDLE_MAX ? 0 : idle;
}

/* Nobody's, while it is 0; else one of a kind, as long as interfaces have less than a million numbers. */
static __always_inline __u32 admission_of(__u32 generation, __u32 arrival)
{
	__u32 admission = generation * 0x9e3779b1 + arrival;

	return admission ? admission : 1;
}

static __always_inline void describe_connection(struct connection *told, const struct record *record)
{
	__u64 ticks = bpf_ktime_get_coarse_ns() >> TICK_SHIFT;

	told->seen = (ticks - idle_ticks(record, ticks)) << TICK_SHIFT;
	told->word = *(volatile __u64 *)&record->word & ~WORD_KIND;
	told->packets = record->packets;
	told->timeout = record->timeout;
	told->destination = record->destination;
	/* Which of the two it was is not to be had of them, and nobody asks. */
	told->generation = 0;
	told->arrival = 0;
	told->port = record->port;
	told->pad = 0;
}

static __always_inline void describe_flow(struct flow_key *told, const struct record *record)
{
	__builtin_memcpy(told->source, record->client, sizeof(told->source));
	__builtin_memcpy(told->destination, record->service, sizeof(told->destination));
	told->source_port = record->client_port;
	told->destination_port = record->service_port;
	told->protocol = record->word & WORD_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	told->family = record->word & WORD_IPV6 ? 6 : 4;
	told->pad = 0;
}

static __always_inline void fill_flow(struct record *record, const struct flow_key *flow)
{
	__builtin_memcpy(record->client, flow->source, sizeof(record->client));
	__builtin_memcpy(record->service, flow->destination, sizeof(record->service));
	record->client_port = flow->source_port;
	record->service_port = flow->destination_port;
}

/* All but its word, which is the last to be written. */
static __always_inline void fill_record(struct record *record, const struct flow_key *flow,
					const struct connection *told)
{
	fill_flow(record, flow);
	record->seen = told->seen >> TICK_SHIFT;
	record->packets = told->packets;
	record->timeout = told->timeout;
	record->destination = told->destination;
	record->port = told->port;
	record->admission = told->generation ? admission_of(told->generation, told->arrival) : 0;
}

/* Once for each eighth of the ring: to wake somebody takes longer than all else that a new connection costs. */
static __always_inline bool is_much_waiting(void)
{
	__u64 waiting = bpf_ringbuf_query(&news, BPF_RB_AVAIL_DATA);

	return waiting > NEWS_WOKEN_AT && waiting % NEWS_WOKEN_AT < sizeof(struct news);
}

/*
 * The director hears of it, sooner or later: it looks from time to time, is woken when much waits, and is told how much it
 * has missed.
 */
static __noinline void tell_director(const struct record *record)
{
	struct news *place = bpf_ringbuf_reserve(&news, sizeof(*place), 0);
	struct tally *counts;

	if (place) {
		describe_flow(&place->flow, record);
		describe_connection(&place->connection, record);
		bpf_ringbuf_submit(place, is_much_waiting() ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
		return;
	}
	counts = bpf_map_lookup_elem(&tally, &ONLY);
	if (counts)
		__sync_fetch_and_add(&counts->unheard, 1);
}

#endif /* SLUICE_NEWS_H */
