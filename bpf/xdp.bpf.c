// SPDX-License-Identifier: GPL-2.0-only
/*
 * The director's program at XDP (sluice daemon --hook xdp): what at_card of director.bpf.c does at tc, before the kernel has
 * made a socket buffer of a frame. Its maps are the director's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame_xdp.h"
#include "card.h"

SEC("xdp")
int at_driver(struct xdp_md *context)
{
	return meet_at_card(context);
}

char LICENSE[] SEC("license") = "GPL";
