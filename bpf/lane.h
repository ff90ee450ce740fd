/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a frame on its way into the lane tells of its packet, and what that way took from it:
 * src/engine/userspace/door/lane-frame.ts.
 */
#ifndef SLUICE_LANE_H
#define SLUICE_LANE_H

#include "parse.h"

#define LANE_PREFIX 0x02
#define LANE_INPUT 0x02
#define LANE_INPUT_DONT_FRAGMENT 0x03
#define LANE_FORWARD 0x04
#define LANE_FORWARD_DONT_FRAGMENT 0x05

/* The Ethernet destination of a frame in the lane. */
struct lane_address {
	__u8 prefix;
	__u8 code;
	__u8 mark[4]; /* netfilter's, as bytes of a word in the host's order */
};

/* False of what the programs leave to the director: messages of the host's own, frames that were not duplicated. */
static __always_inline bool read_lane(struct __sk_buff *skb, struct lane_address *lane)
{
	if (bpf_skb_load_bytes(skb, 0, lane, sizeof(*lane)) || lane->prefix != LANE_PREFIX)
		return false;
	return lane->code >= LANE_INPUT && lane->code <= LANE_FORWARD_DONT_FRAGMENT;
}

static __always_inline __u32 mark_of(const struct lane_address *lane)
{
	__u32 mark;

	__builtin_memcpy(&mark, lane->mark, sizeof(mark));
	return mark;
}

static __always_inline bool is_request_lane(const struct lane_address *lane)
{
	return lane->code == LANE_INPUT || lane->code == LANE_INPUT_DONT_FRAGMENT;
}

/* Whether the packet came with "don't fragment", which nft's dup sets on every one: of what is read, the odd codes say so. */
static __always_inline __u8 came_undivided(const struct lane_address *lane)
{
	return lane->code & LANE_INPUT_DONT_FRAGMENT & LANE_FORWARD_DONT_FRAGMENT;
}

#endif /* SLUICE_LANE_H */
