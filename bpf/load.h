/* SPDX-License-Identifier: GPL-2.0-only */
/* How many connections go to a real server, and whom that makes the least loaded one: src/ipvs/services/destination.ts. */
#ifndef SLUICE_LOAD_H
#define SLUICE_LOAD_H

#include "tree.h"

/* Its matches are played when the others can see it: an addition whose result is asked for orders memory on every machine. */
static __always_inline void add_to(__u32 *count, __s32 change)
{
	__u32 before = __sync_fetch_and_add(count, change);

	barrier_var(before);
}

/*
 * A connection goes to it: bind() in destination.ts. Its matches are played when the packet that opened it has moved it on,
 * which may make it active: settle().
 */
static __always_inline void bind(struct destination *destination, __u32 flags)
{
	add_to(flags & FLAG_INACTIVE ? &destination->inactive : &destination->active, 1);
	if (destination->upper && destination->active + destination->inactive >= destination->upper)
		destination->is_overloaded = 1;
}

/* Only with thresholds a count can decide by any rules. */
static __always_inline void settle(struct destinations *all, __u32 which)
{
	climb(which, destination_at(all, which)->upper ? BY_ANYTHING : BY_ACTIVE);
}

/* It does no longer, and who was overloaded is so no more with fewer than `relieved`. */
static __always_inline void unbind_below(struct destinations *all, __u32 which, __u32 flags, __u32 relieved)
{
	struct destination *destination = destination_at(all, which);

	add_to(flags & FLAG_INACTIVE ? &destination->inactive : &destination->active, -1);
	if (destination->is_overloaded && destination->active + destination->inactive < relieved)
		destination->is_overloaded = 0;
	settle(all, which);
}

/* unbind() in destination.ts. */
static __always_inline void unbind(struct destinations *all, __u32 which, __u32 flags)
{
	unbind_below(all, which, flags, destination_at(all, which)->low);
}

/* It became active, or inactive. */
static __always_inline void recount(struct destination *destination, __u64 before, __u64 after)
{
	__s32 activated;

	if (((before ^ after) & FLAG_INACTIVE) == 0)
		return;
	activated = after & FLAG_INACTIVE ? -1 : 1;
	add_to(&destination->active, activated);
	add_to(&destination->inactive, -activated);
}

#endif /* SLUICE_LOAD_H */
