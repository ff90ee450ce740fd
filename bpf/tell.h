/* SPDX-License-Identifier: GPL-2.0-only */
/* Tells the daemon of packets that went on without it, while somebody watches them (sluice trace). */
#ifndef SLUICE_TELL_H
#define SLUICE_TELL_H

#include "advance.h"
#include "forward.h"

/* Whether a watcher may want it: by its client, which is whom most ask for beside a flood. */
static __always_inline bool is_wanted(const struct watch *watch, const struct packet *packet, bool is_reply)
{
	const __be32 *client = is_reply ? packet->flow.destination : packet->flow.source;

	if (watch->protocol && watch->protocol != packet->flow.protocol)
		return false;
	if (watch->family && watch->family != packet->flow.family)
		return false;
#pragma unroll
	for (int word = 0; word < 4; word++)
		if ((client[word] & watch->mask[word]) != watch->client[word])
			return false;
	return true;
}

/*
 * Headers have 28 to 100 bytes, by what parse() lets through. The verifier is to see that it is neither nothing nor too much,
 * and on 6.1 learns nothing of a comparison with 0.
 */
static __always_inline __u32 load_headers(frame_t *frame, __u32 overhead, __u8 *into, __u64 length)
{
	barrier_var(length);
	length = ((length - 1) & (TOLD_HEADERS - 1)) + 1;
	return read_bytes(frame, sizeof(struct ethhdr) + overhead, into, length) ? 0 : length;
}

/* The packet as it leaves, and what it was as it came: both is needed to say what was done. */
static __noinline int tell_watcher(frame_t *frame, const struct packet *packet, const struct passage *passage,
				   int verdict)
{
	struct watch *watch = bpf_map_lookup_elem(&watches, &ONLY);
	const struct record *connection = passage->connection;
	struct told_packet *told;

	if (!watch || !connection || !is_wanted(watch, packet, verdict == VERDICT_FORWARD_REPLY))
		return 0;
	told = bpf_ringbuf_reserve(&told_packets, sizeof(*told), 0);
	if (!told) {
		__sync_fetch_and_add(&watch->missed, 1);
		return 0;
	}
	told->at = bpf_ktime_get_ns();
	told->key = packet->flow;
	told->verdict = verdict;
	told->destination = connection->destination;
	told->arrival = frame->ingress_ifindex;
	told->departure = passage->way.departure;
	told->length = packet->length;
	__builtin_memcpy(told->address, passage->end.address, sizeof(told->address));
	told->port = passage->end.port;
	told->state = state_of(connection->word);
	told->is_new = passage->is_new;
	__builtin_memcpy(told->link_addresses, passage->way.link_addresses, sizeof(told->link_addresses));
	told->headers_length = load_headers(frame, passage->overhead, told->headers, packet->header_length);
	/* The daemon looks from time to time: nobody is to be woken for each packet. */
	bpf_ringbuf_submit(told, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif /* SLUICE_TELL_H */
