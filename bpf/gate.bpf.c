// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is attached where the kernel has no tcx (before 6.6): a tc filter, which stays when the daemon is killed. The kernel
 * empties a table of programs once no process has it any more (prog_array_map_clear() in kernel/bpf/arraymap.c), so behind a
 * dead daemon the gate leads nowhere, at once, and packets are the host's.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

/* Written by the daemon: what runs where packets come in, and where they leave. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

SEC("tc")
int ingress_gate(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &programs, 0);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int egress_gate(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &programs, 1);
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
