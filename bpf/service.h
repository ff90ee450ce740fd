/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose packet it is: by mark, then exactly, then FTP's data ports, then any port. src/ipvs/services/service-index.ts. */
#ifndef SLUICE_SERVICE_H
#define SLUICE_SERVICE_H

#include "maps.h"
#include "parse.h"

#define FTP_PORT 21
#define FTP_DATA_PORT 20
#define UNPRIVILEGED_PORT 1024

static __always_inline struct service *service_of_mark(const struct packet *packet)
{
	struct service_key key = { .address = { 0, 0, 0, packet->mark }, .family = packet->flow.family };

	return bpf_map_lookup_elem(&services, &key);
}

static __always_inline struct service *service_at(struct service_key *key, __be16 port)
{
	key->port = port;
	return bpf_map_lookup_elem(&services, key);
}

static __always_inline bool may_be_ftp_data(const struct packet *packet)
{
	__u16 port = bpf_ntohs(packet->flow.destination_port);

	return packet->flow.protocol == IPPROTO_TCP && (port == FTP_DATA_PORT || port >= UNPRIVILEGED_PORT);
}

/* The service of a new connection, whoever schedules it; or NULL. */
static __noinline struct service *service_of(const struct packet *packet, const struct settings *now)
{
	struct service_key key = { .protocol = packet->flow.protocol, .family = packet->flow.family };
	struct service *found = NULL;

	if (packet->mark && now->kinds & KIND_MARK)
		found = service_of_mark(packet);
	if (found)
		return found;
	__builtin_memcpy(key.address, packet->flow.destination, sizeof(key.address));
	found = service_at(&key, packet->flow.destination_port);
	if (!found && now->kinds & KIND_FTP && may_be_ftp_data(packet))
		found = service_at(&key, bpf_htons(FTP_PORT));
	if (!found && now->kinds & KIND_ANY_PORT)
		found = service_at(&key, 0);
	return found;
}

#endif /* SLUICE_SERVICE_H */
