/* SPDX-License-Identifier: GPL-2.0-only */
/* What a packet makes of its connection: state, time, counters. src/ipvs/tracking/progress.ts, by the same tables. */
#ifndef SLUICE_ADVANCE_H
#define SLUICE_ADVANCE_H

#include "half-open.h"
#include "parse.h"
#include "load.h"
#include "news.h"

#define DIRECTION_INPUT 0
#define DIRECTION_OUTPUT 1
#define DIRECTION_INPUT_ONLY 2

#define EVENT_SYN 0
#define EVENT_FIN 1
#define EVENT_ACK 2
#define EVENT_RST 3
#define EVENT_OTHER 4

#define EVENTS 5
#define STATE_MASK 0xf
#define ROW_SHIFT 4

/* How often is tried anew to be first with a change; then the packet is the director's. */
#define ATTEMPTS 4

#define NANOSECONDS_PER_MILLISECOND 1000000ULL

static __always_inline __u32 state_of(__u64 word)
{
	return (word >> STATE_SHIFT) & STATE_MASK;
}

static __always_inline __u64 with_next_version(__u64 word)
{
	__u64 version = ((word >> VERSION_SHIFT) + 1) & 0xff;

	return (word & ~(0xffULL << VERSION_SHIFT)) | version << VERSION_SHIFT;
}

/* tcp_state_idx() of ip_vs_proto_tcp.c. */
static __always_inline __u32 event_of(__u8 flags)
{
	if (flags & TCP_RST)
		return EVENT_RST;
	if (flags & TCP_SYN)
		return EVENT_SYN;
	if (flags & TCP_FIN)
		return EVENT_FIN;
	return flags & TCP_ACK ? EVENT_ACK : EVENT_OTHER;
}

/* The connection's word after a packet. */
static __always_inline __u64 word_after(__u64 word, const struct packet *packet, bool is_reply,
					const struct settings *now)
{
	__u32 direction = DIRECTION_OUTPUT;
	__u32 index, next;

	if (is_reply)
		word &= ~(__u64)FLAG_NO_OUTPUT;
	else
		direction = word & FLAG_NO_OUTPUT ? DIRECTION_INPUT_ONLY : DIRECTION_INPUT;
	/* udp_state_transition() assures the template with each; to tell of one is enough. */
	if (packet->flow.protocol == IPPROTO_UDP)
		return is_reply && word & FLAG_CONTROLLED ? word | WORD_ANSWERED : word;
	index = (direction * EVENTS + event_of(packet->tcp_flags)) << ROW_SHIFT | state_of(word);
	/* The compiler knows that it is less; the verifier of 6.1 is to see it. */
	barrier_var(index);
	next = now->states[index & 0xff];
	word = (word & ~((__u64)STATE_MASK << STATE_SHIFT)) | (__u64)next << STATE_SHIFT;
	if (now->active_states >> (next & 0x1f) & 1)
		return word & ~(__u64)FLAG_INACTIVE;
	return word | FLAG_INACTIVE;
}

/* In milliseconds. */
static __always_inline __u32 timeout_of(const struct packet *packet, __u64 word, const struct settings *now)
{
	if (packet->flow.protocol == IPPROTO_UDP)
		return now->udp_timeout;
	return now->timeouts[state_of(word)];
}

/*
 * `word`: what the connection was found with, neither the director's nor busy. False when others were faster, took it, or it is
 * another one by now. `has_changed`: whether the director is to hear of it, and whoever calls is to settle() the destination.
 */
static __always_inline bool advance(struct record *connection, __u64 word, struct destination *destination,
				    const struct packet *packet, bool is_reply, const struct settings *now,
				    bool *has_changed)
{
	__u64 before = word, after;
	__u32 timeout;

#pragma unroll
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		after = word_after(before, packet, is_reply, now);
		timeout = timeout_of(packet, after, now);
		/* Another timeout, by `ipvsadm --set` since its last packet, is to be heard of, too. */
		if (after == before && connection->timeout == timeout)
			goto advanced;
		after = with_next_version(after);
		if (__sync_val_compare_and_swap(&connection->word, before, after) == before) {
			*has_changed = true;
			recount(destination, before, after);
			if (!(after & WORD_UDP))
				count_half_open(is_half_open(after, 0) - is_half_open(before, 0));
			goto advanced;
		}
		before = *(volatile __u64 *)&connection->word;
		if (before & (FLAG_DIRECTORS | FLAG_BUSY) || (before ^ word) >> EPOCH_SHIFT)
			return false;
	}
	return false;

advanced:
	connection->seen = packet->ticks;
	connection->timeout = timeout;
	if (is_reply)
		return true;
	/* Exchanged only as long as it decides whether the connection has come about; two packets at once are one more or less. */
	if (!(after & WORD_UDP) || connection->packets > DATAGRAMS)
		connection->packets++;
	else if (__sync_fetch_and_add(&connection->packets, 1) == DATAGRAMS)
		count_half_open(-1);
	return true;
}

static __always_inline bool is_over(const struct record *connection, __u32 ticks)
{
	__u64 idle = (__u64)idle_ticks(connection, ticks) << TICK_SHIFT;

	return idle >= connection->timeout * NANOSECONDS_PER_MILLISECOND;
}

static __always_inline void count_packet(const struct packet *packet, struct destination *destination, bool is_reply)
{
	__sync_fetch_and_add(is_reply ? &destination->out_packets : &destination->in_packets, 1);
	__sync_fetch_and_add(is_reply ? &destination->out_bytes : &destination->in_bytes, packet->length);
}

#endif /* SLUICE_ADVANCE_H */
