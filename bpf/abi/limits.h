/* SPDX-License-Identifier: GPL-2.0-only */
/* How much there may be. */
#ifndef SLUICE_ABI_LIMITS_H
#define SLUICE_ABI_LIMITS_H

#include <linux/types.h>

/* How many connections there may be unless the daemon says otherwise; the rest is fixed. Powers of two. */
#define CONNECTIONS_MAX 1048576
#define DESTINATIONS_MAX 65536
#define SERVICES_MAX 4096
#define LISTED_SERVICES_MAX 65536
#define MEMBERS_MAX 1048576
#define CLIENTS_MAX 65536
#define NEWS_BYTES 4194304

/* Real servers that a service may have, to be scheduled here. */
#define SERVICE_MEMBERS_MAX 4096

#endif /* SLUICE_ABI_LIMITS_H */
