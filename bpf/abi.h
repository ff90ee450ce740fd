/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs and the daemon say to each other.
 *
 * These headers are the only place that says it: scripts/build-bpf makes src/engine/kernel/abi.ts of their BTF. Addresses
 * and ports are in network byte order, all else in the host's. Padding is spelled out, because a map's key is compared
 * byte by byte, padding and all.
 */
#ifndef SLUICE_ABI_H
#define SLUICE_ABI_H

#include "abi/connections.h"
#include "abi/services.h"
#include "abi/control.h"
#include "abi/settings.h"

_Static_assert(sizeof(struct flow_key) == 40, "a hole in flow_key");
_Static_assert(sizeof(struct connection) == 40, "a hole in connection");
_Static_assert(sizeof(struct record) == 64, "a record is more than a cache line");
_Static_assert(sizeof(struct bucket) == 64, "a bucket is more than a cache line");
_Static_assert(sizeof(struct reply) == 56, "a hole in reply");
_Static_assert(sizeof(struct destination) == 128, "a hole in destination");
_Static_assert(sizeof(struct change_connection) == 96, "a hole in change_connection");

#endif /* SLUICE_ABI_H */
