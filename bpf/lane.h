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
#define IPV4_DONT_FRAGMENT 0x4000

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

/*
 * nft's dup has set "don't fragment" and made the checksum; of a packet that came without, the bit was taken again and the
 * sum stayed. The time to live is one less at LOCAL_IN, which is what forwarding takes.
 */
static __always_inline int restore_fragment_field(struct __sk_buff *skb, const struct lane_address *lane)
{
	bool is_set = lane->code == LANE_INPUT_DONT_FRAGMENT || lane->code == LANE_FORWARD_DONT_FRAGMENT;
	__u32 at = sizeof(struct ethhdr) + offsetof(struct iphdr, frag_off);
	__be16 summed = bpf_htons(IPV4_DONT_FRAGMENT);
	__be16 right = is_set ? summed : 0;

	if (right != summed)
		bpf_l3_csum_replace(skb, sizeof(struct ethhdr) + offsetof(struct iphdr, check), summed, right, 2);
	return bpf_skb_store_bytes(skb, at, &right, sizeof(right), 0);
}

#endif /* SLUICE_LANE_H */
