/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whom a new connection goes to: where a template leads its client, or else whose turn it is, which makes a persistent
 * service's template. src/ipvs/connection-opener.ts and tracking/persistence.ts.
 */
#ifndef SLUICE_TEMPLATE_H
#define SLUICE_TEMPLATE_H

#include "schedule.h"
#include "service.h"

/* The director has to decide: as NOBODY, in a destination's place. */
#define DIRECTORS_WORD (-2)

/* What a template stands for: one for all ports has port 0, one of a mark protocol 0 and the mark as the address. */
static __always_inline void describe(const struct packet *packet, const struct service *service, struct flow_key *key)
{
	*key = (struct flow_key){ .family = packet->flow.family };
#pragma unroll
	for (int word = 0; word < 4; word++)
		key->source[word] = packet->flow.source[word] & service->mask[word];
	if (service->mark) {
		/* In the kernel's union of addresses a mark is IPv6's first word. */
		key->destination[key->family == 4 ? 3 : 0] = bpf_htonl(service->mark);
		return;
	}
	__builtin_memcpy(key->destination, packet->flow.destination, sizeof(key->destination));
	key->protocol = packet->flow.protocol;
	if (packet->flow.destination_port == service->port)
		key->destination_port = service->port;
}

/* isUsable() in persistence.ts. */
static __always_inline bool is_usable(const struct destination *destination, const struct settings *now)
{
	if (!destination->is_available || destination->is_drained)
		return false;
	return destination->weight > 0 || !now->expires_quiescent;
}

/* Where a template leads: the connection counts there at once. */
static __always_inline __s32 follow(const struct template *template, struct destinations *all, const struct settings *now)
{
	struct destination *destination = destination_at(all, template->destination);

	if (!is_usable(destination, now))
		return DIRECTORS_WORD;
	bind(destination, destination->flags);
	return template->destination;
}

/* Where the client's template leads; NOBODY when it has none. On its own for the stack's sake, as add_template(). */
static __noinline __s32 follow_template(const struct packet *packet, const struct service *service,
					struct destinations *all, const struct settings *now)
{
	struct template *found;
	struct flow_key key;

	describe(packet, service, &key);
	found = bpf_map_lookup_elem(&templates, &key);
	return found ? follow(found, all, now) : NOBODY;
}

/* From now on the client goes to whom was picked, or to whom another packet of it has led at the same time. */
static __noinline __s32 add_template(const struct packet *packet, const struct service *service,
				     struct destinations *all, const struct settings *now, __s32 picked)
{
	struct template fresh = { .destination = picked };
	struct template *found;
	struct flow_key key;

	describe(packet, service, &key);
	if (!bpf_map_update_elem(&templates, &key, &fresh, BPF_NOEXIST))
		return picked;
	unbind(all, picked, destination_at(all, picked)->flags);
	found = bpf_map_lookup_elem(&templates, &key);
	return found ? follow(found, all, now) : DIRECTORS_WORD;
}

/*
 * The destination of a new connection, on which it counts at once; or NOBODY, or DIRECTORS_WORD. On its own for the stack's sake, as
 * what needs most of it.
 */
static __noinline __s32 assign(const struct packet *packet, const struct service *service,
				    struct destinations *all, const struct settings *now)
{
	__s32 picked = service->is_persistent ? follow_template(packet, service, all, now) : NOBODY;

	if (picked != NOBODY)
		return picked;
	picked = schedule_connection(service->index, packet, all);
	if (picked == NOBODY || !service->is_persistent)
		return picked;
	return add_template(packet, service, all, now, picked);
}

/* At which port it answers: a persistent service of many ports keeps the client's, but for its own. */
static __always_inline __be16 port_of(const struct packet *packet, const struct service *service,
				      const struct destination *destination)
{
	__be16 asked = packet->flow.destination_port;

	if (destination->port == 0 || (service->is_persistent && asked != service->port))
		return asked;
	return destination->port;
}

#endif /* SLUICE_TEMPLATE_H */
