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

/*
 * False of what the programs leave to the director: messages of the host's own, frames that were not duplicated. Read where it lies,
 * for the stack's sake.
 */
static __always_inline bool read_lane(struct __sk_buff *skb, struct packet *packet)
{
	const struct lane_address *lane = (void *)(long)skb->data;

	if ((void *)(lane + 1) > (void *)(long)skb->data_end || lane->prefix != LANE_PREFIX)
		return false;
	packet->lane = lane->code;
	__builtin_memcpy(&packet->mark, lane->mark, sizeof(packet->mark));
	return packet->lane >= LANE_INPUT && packet->lane <= LANE_FORWARD_DONT_FRAGMENT;
}

static __always_inline bool is_request_lane(__u8 lane)
{
	return lane == LANE_INPUT || lane == LANE_INPUT_DONT_FRAGMENT;
}

/* Whether the packet came with "don't fragment", which nft's dup sets on every one: of what is read, the odd codes say so. */
static __always_inline __u8 came_undivided(__u8 lane)
{
	return lane & LANE_INPUT_DONT_FRAGMENT & LANE_FORWARD_DONT_FRAGMENT;
}

#endif /* SLUICE_LANE_H */
