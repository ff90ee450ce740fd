// SPDX-License-Identifier: GPL-2.0-only
/*
 * A generator of driver's frames: BPF_PROG_TEST_RUN's live frames (Linux 5.18), each of which becomes the next client's datagram and
 * goes out by a device. Of a veth pair the other end then has frames as a network card's driver has them, no socket buffers.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PORTS_PER_CLIENT 4096
#define FIRST_PORT 1024
/* As short as Ethernet has them, without their checksum. */
#define FRAME_WORDS 15

/* Which datagrams go, written by whoever measures. Clients are numbered: 4096 ports of an address, then the next one's. */
struct stream {
	/* When the first frame came, and when the last one that is left out did, which is after all others have gone their way. */
	__u64 start;
	__u64 end;
	/* Client 0.0.0.0:0's, with the checksums of that. */
	__u32 frame[FRAME_WORDS];
	__u32 departure;
	__u32 flows;
	__u32 next;
	__u32 network; /* the first client's address, in the host's order */
	__u32 is_in_turn;
	__u32 sent;
	__u32 count; /* of those that come after so many nothing becomes */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stream);
} streams SEC(".maps");

static __always_inline __u32 next_client(struct stream *stream)
{
	if (stream->is_in_turn) {
		__u32 client = stream->next;

		stream->next = client + 1 < stream->flows ? client + 1 : 0;
		return client;
	}
	stream->next = stream->next * 1664525 + 1013904223;
	return ((__u64)stream->next * stream->flows) >> 32;
}

/* RFC 1624, where a word that was 0 becomes one that is in `added`. */
static __always_inline __u16 add_to(__u16 checksum, __u32 added)
{
	__u32 sum = (__u16)~checksum + added;

	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

SEC("xdp")
int send_next(struct xdp_md *frame)
{
	void *data = (void *)(long)frame->data, *end = (void *)(long)frame->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);
	__u32 only = 0, client, address;
	struct stream *stream = bpf_map_lookup_elem(&streams, &only);
	__u16 port;

	if (!stream || data + sizeof(stream->frame) > end)
		return XDP_ABORTED;
	if (stream->sent == stream->count) {
		stream->end = bpf_ktime_get_ns();
		return XDP_DROP;
	}
	if (stream->sent++ == 0)
		stream->start = bpf_ktime_get_ns();
	/* All of it: what was made of the frame the last time is still there. */
#pragma unroll
	for (int word = 0; word < FRAME_WORDS; word++)
		((__u32 *)data)[word] = stream->frame[word];
	client = next_client(stream);
	address = bpf_htonl(stream->network + client / PORTS_PER_CLIENT);
	port = bpf_htons(FIRST_PORT + client % PORTS_PER_CLIENT);
	ip->saddr = address;
	udp->source = port;
	ip->check = add_to(ip->check, (address & 0xffff) + (address >> 16));
	udp->check = add_to(udp->check, (address & 0xffff) + (address >> 16) + port) ?: 0xffff;
	return bpf_redirect(stream->departure, 0);
}

/* Where frames end. */
SEC("xdp")
int throw_away(struct xdp_md *frame)
{
	(void)frame;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
