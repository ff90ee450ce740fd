// SPDX-License-Identifier: GPL-2.0-only
/*
 * The director's hot half: packets of connections that are known, and first packets of services that can be carried here.
 * What is rare it leaves to the host's stack and, behind its firewall, to the director in the daemon, which hears of
 * each connection that is opened here and each state that it comes to.
 *
 * A packet meets it twice at most: where it arrives (at_card), and, when it is not forwarded there, where the door hands it
 * to the daemon (at_lane), after the host's firewall has let it in. A packet's way is: parse it, find its connection or open
 * one, see that it may go on, advance, count, rewrite, send.
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

#include "frame_tc.h"
#include "card.h"
#include "lane.h"
#include "control.h"
#include "expire.h"

/* At the ingress of each interface. */
SEC("tc")
int at_card(struct __sk_buff *skb)
{
	return meet_at_card(skb);
}

/* The daemon is told by which interface a packet came, in the frame's source address, which means nothing in the lane. */
static __always_inline int hand_to_daemon(struct __sk_buff *skb, enum verdict verdict)
{
	__u32 arrival = skb->ingress_ifindex;

	bpf_skb_store_bytes(skb, ETH_ALEN, &arrival, sizeof(arrival), 0);
	return pass(verdict);
}

/* What is to become of a packet that the host's firewall has let in, or through. */
static __always_inline enum verdict direct(struct __sk_buff *skb, struct packet *packet, const struct settings *now,
					   struct passage *passage)
{
	struct record *connection;
	struct reply *reply;
	__u64 word = 0;

	packet->dont_fragment = came_undivided(packet->lane);
	if (!(now->carried & protocol_bit(packet)))
		return VERDICT_PASS_DIRECTOR;
	if (is_request_lane(packet->lane)) {
		connection = find(&packet->flow, now, &word);
		/* What is a server's answer as well is the director's to tell apart. */
		if (!connection && reply_for(packet, now))
			return VERDICT_PASS_DIRECTOR;
		return request(skb, packet, connection, word, now, passage);
	}
	/* Routing rules may look at a mark. */
	reply = packet->mark ? NULL : reply_for(packet, now);
	return reply ? answer(skb, packet, reply, now, passage) : VERDICT_PASS_UNKNOWN;
}

/* At the egress of the lane: what the host's firewall has let in of clients', and through of servers'. */
SEC("tc")
int at_lane(struct __sk_buff *skb)
{
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);
	struct packet packet = { .is_from_lane = true, .ticks = ticks_now() };
	struct passage passage = {};
	enum verdict verdict = VERDICT_PASS_DIRECTOR;

	if (!now || now->generation == 0 || !read_lane(skb, &packet))
		return hand_to_daemon(skb, verdict);
	verdict = parse(skb, &packet);
	if (verdict == VERDICT_GO_ON)
		verdict = direct(skb, &packet, now, &passage);
	if (is_passed(verdict))
		return hand_to_daemon(skb, verdict);
	return leave(skb, &packet, now, &passage, verdict);
}

char LICENSE[] SEC("license") = "GPL";
