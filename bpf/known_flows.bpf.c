// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forwards the packets of flows that the daemon's director has decided about, where they arrive (tc), and leaves all
 * others to the host's own stack: behind its firewall and its other checks the director meets them.
 *
 * A packet's way: parse it, find its flow, see that nothing has changed since the flow was learnt, count, rewrite, send.
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"
#include "forward.h"
#include "tell.h"

/* A card's or a sender's offload: the segments that the packet becomes are what must fit. */
static __always_inline bool fits(const struct __sk_buff *skb, const struct packet *packet, const struct flow *flow)
{
	if (skb->gso_size == 0)
		return packet->length <= flow->mtu;
	return skb->gso_size + packet->header_length <= flow->mtu;
}

/* Whether the flow's packets are still to be forwarded as they were. */
static __always_inline enum verdict admit(struct __sk_buff *skb, const struct packet *packet, struct flow *flow)
{
	if (packet->is_event) {
		/* What follows it must not overtake it: until the director has seen it, and learns the flow anew. */
		flow->generation = 0;
		return VERDICT_PASS_EVENT;
	}
	if (flow->generation == 0 || flow->generation != current_generation())
		return VERDICT_PASS_OLD;
	if (flow->arrival != skb->ifindex)
		return VERDICT_PASS_ELSEWHERE;
	if (packet->has_no_checksum && flow->action != ACTION_ROUTE)
		return VERDICT_PASS_NO_CHECKSUM;
	if (packet->time_to_live <= 1)
		return VERDICT_PASS_TIME_TO_LIVE;
	if (!fits(skb, packet, flow))
		return VERDICT_PASS_TOO_BIG;
	return VERDICT_GO_ON;
}

static __always_inline enum verdict perform(struct __sk_buff *skb, const struct packet *packet, struct flow *flow)
{
	enum verdict verdict = VERDICT_FORWARD_ROUTE;
	bool is_reply = flow->action == ACTION_REWRITE_SOURCE;

	if (flow->action != ACTION_ROUTE) {
		if (rewrite(skb, packet, flow, is_reply) < 0)
			return VERDICT_DROP_NO_MEMORY;
		verdict = is_reply ? VERDICT_FORWARD_REPLY : VERDICT_FORWARD_MASQUERADE;
	}
	if (spend_time_to_live(skb, packet) < 0)
		return VERDICT_DROP_NO_MEMORY;
	bpf_skb_store_bytes(skb, 0, flow->link_addresses, sizeof(flow->link_addresses), 0);
	count_flow(packet, flow, is_reply);
	return verdict;
}

SEC("tc")
int forward_known_flows(struct __sk_buff *skb)
{
	struct packet packet = {};
	struct flow *flow;
	enum verdict verdict;

	verdict = parse(skb, &packet);
	if (verdict != VERDICT_GO_ON)
		goto pass;
	flow = bpf_map_lookup_elem(&flows, &packet.flow);
	if (!flow) {
		verdict = VERDICT_PASS_UNKNOWN;
		goto pass;
	}
	verdict = admit(skb, &packet, flow);
	if (verdict != VERDICT_GO_ON)
		goto pass;
	verdict = perform(skb, &packet, flow);
	count_verdict(verdict);
	if (is_watched())
		tell(skb, &packet, flow, verdict);
	if (verdict == VERDICT_DROP_NO_MEMORY)
		return TC_ACT_SHOT;
	return bpf_redirect(flow->departure, 0);

pass:
	count_verdict(verdict);
	return TC_ACT_UNSPEC;
}

/*
 * At the egress of the lane: tells the daemon by which interface a packet came, in the frame's source address, which
 * means nothing there.
 */
SEC("tc")
int tell_arrival(struct __sk_buff *skb)
{
	__u32 arrival = skb->ingress_ifindex;

	bpf_skb_store_bytes(skb, ETH_ALEN, &arrival, sizeof(arrival), 0);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
