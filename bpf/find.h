/* SPDX-License-Identifier: GPL-2.0-only */
/* What a packet belongs to: a connection by what its client sends, or by what its server answers. */
#ifndef SLUICE_FIND_H
#define SLUICE_FIND_H

#include "table.h"
#include "parse.h"

static __always_inline bool is_same_address(const __be32 *one, const __be32 *other)
{
	return one[0] == other[0] && one[1] == other[1] && one[2] == other[2] && one[3] == other[3];
}

/*
 * What is known of an answer, if the packet is one. Most packets that begin a connection come from where no masqueraded server
 * is, and reading one bit says so; a look into the table of replies reads memory that nobody else has read for long.
 */
static __always_inline struct reply *reply_for(const struct packet *packet, const struct settings *now)
{
	__u32 bit = fold(packet->flow.source) * 0x61c88647 >> 16;

	if (!(now->servers[bit >> 3] >> (bit & 7) & 1))
		return NULL;
	return bpf_map_lookup_elem(&replies, &packet->flow);
}

/* The connection whose server sends this: its client calls the service at the address that the reply will bear. */
static __always_inline struct record *find_answered(const struct packet *packet, struct reply *reply,
						    struct destinations *all, const struct settings *now, __u64 *word)
{
	struct flow_key key = {
		.source_port = packet->flow.destination_port,
		.destination_port = reply->port,
		.protocol = packet->flow.protocol,
		.family = packet->flow.family,
	};
	struct record *found;
	__u64 entry;

	__builtin_memcpy(key.source, packet->flow.destination, sizeof(key.source));
	__builtin_memcpy(key.destination, reply->address, sizeof(key.destination));
	found = find_again(reply->record, &key, word);
	if (!found) {
		found = find_entry(&key, now, word, &entry);
		reply->record = entry;
	}
	/* A client's next connection may go to the same server by another method. */
	if (!found || (*word & FORWARDING_MASK) != FORWARDING_MASQUERADE || found->port != packet->flow.source_port)
		return NULL;
	if (!is_same_address(destination_at(all, found->destination)->address, packet->flow.source))
		return NULL;
	return found;
}

#endif /* SLUICE_FIND_H */
