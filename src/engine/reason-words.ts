/** What each reason says to a person (ipvs/packets/reasons.ts), and each loss on the way out of the director. */
import type { Reason, Yielding } from "../ipvs/packets/reasons.ts";
import type { Loss } from "./userspace/sending/losses.ts";

// biome-ignore format: a table
const WORDS: Readonly<Record<Reason | Yielding | Loss, string>> = {
  "forward-masquerade":       "sent on to a server, its address rewritten (-m)",
  "forward-route":            "sent on to a server as it was (-g)",
  "forward-tunnel":           "sent on to a server in a tunnel (-i)",
  "forward-bypass":           "sent on to where it was meant, no server being there (cache_bypass)",
  "forward-reply":            "a masqueraded server's answer, sent on to the client in the service's name",
  "forward-icmp-request":     "a client's ICMP message about a connection, sent on to the server",
  "forward-icmp-reply":       "an ICMP message about a server's packet, sent on to the client",

  "pass-no-services":         "left to the host: there is no service of the packet's family",
  "pass-not-unicast":         "left to the host: broadcast or multicast",
  "pass-malformed":           "left to the host: no whole IP packet",
  "pass-martian-source":      "left to the host: a source that nobody can have",
  "pass-not-balanced":        "left to the host: neither TCP, UDP, SCTP nor ICMP",
  "pass-fragment":            "left to the host: a fragment of what is no service's",
  "pass-no-service":          "left to the host: no service has the address and port",
  "pass-not-local":           "left to the host: on its way through, or to a VIP that is no longer the host's",
  "pass-not-first":           "left to the host: TCP or SCTP in the middle of a connection that is not known (sloppy_tcp)",
  "pass-icmp-unrelated":      "left to the host: an ICMP message about no connection of a service",
  "pass-ftp-other-port":      "left to the host: a persistent FTP service without a connection for that port",
  "pass-source-port-20":      "left to the host: an FTP server's data connection to a client",
  "pass-local-destination":   "given back to the host: the server or the client is the host itself",
  "pass-reply":               "a server's answer by way of the host, which goes on as it was (-g, -i)",
  "pass-reply-rewritten":     "an answer of a server on the host itself, in the service's name",
  "pass-not-forwarding":      "left to the host: a server's answer, and the host does not forward (net.ipv4.ip_forward)",

  "drop-malformed":           "dropped: its headers contradict themselves",
  "drop-no-destination":      "dropped: no server takes new connections of the service (none, or weight 0, or full)",
  "drop-destination-removed": "dropped: the connection's server was removed, or has weight 0 and is quiesced",
  "drop-table-full":          "dropped: the connection table is full (--connections)",
  "drop-adopting":            "dropped: the connections of the daemon before are still being taken over; the sender repeats it",
  "drop-service-share":       "dropped: the table fills up, and this service has its share of it",
  "drop-defence":             "dropped by a defence (net.ipv4.vs.drop_packet)",
  "drop-overload":            "dropped: more packets came than can be dealt with, and it would have opened a connection",
  "drop-no-call-id":          "dropped: no Call-ID could be read (--pe sip)",
  "drop-unreachable":         "dropped: no route to the server, or back to the client",
  "drop-time-exceeded":       "dropped: its time to live is over; the sender was told",
  "drop-packet-too-big":      "dropped: too big for the way, and not to be fragmented; the sender was told",
  "drop-crosses-local":       "dropped: between loopback and other addresses",
  "drop-bad-checksum":        "dropped: its checksum is wrong",
  "drop-path-mtu-learnt":     "taken in: a router told the MTU of a tunnel's path",
  "hold-fragment":            "kept until the other fragments are there",

  "gave-way-half-open":       "connections: half open, given up for new ones while the table filled up",
  "gave-way-ended":           "connections: over, given up for new ones while the table filled up",

  "ring-full":                "lost: arrived faster than they were looked at",
  "ring-truncated":           "lost: longer than a place in the ring",
  "ring-stale":               "thrown away: they had waited so long that nobody wants them any more",
  "transmit-congested":       "lost: the interface took no more at the moment",
  "transmit-failed":          "lost: the kernel refused to send it",
  "neighbour-queue-full":     "lost: too many waited for the next hop's link-layer address",
  "neighbour-refused":        "lost: the kernel would not look for the next hop (a full neighbour table?)",
  "neighbour-silent":         "lost: the next hop did not answer; the sender was told",
  "link-gone":                "lost: the interface has gone",
  "notice-congested":         "ICMP messages lost: the host took no more at the moment",
  "notice-failed":            "ICMP messages lost: the host refused to send them",
  "lane-congested":           "lost on the way back to the host, which took no more at the moment",
  "lane-failed":              "lost on the way back to the host, which refused them",
  "too-many-segments":        "dropped: its sender wants it cut into more pieces than anybody sends",
  "host-too-big":             "lost: would have left as the host's own, and is longer than the way takes",
};

/** Of the programs that open and forward connections in the kernel (kernel/kernel-flows.ts). What they pass, the director looks at. */
// biome-ignore format: a table
const KERNEL_WORDS: Readonly<Record<string, string>> = {
  "kernel-forwarded":          "of those sent on: by the kernel itself, where they arrived",
  "kernel-pass-not-ours":      "not forwarded in the kernel: no whole TCP or UDP packet to this host's link-layer address",
  "kernel-pass-malformed":     "not forwarded in the kernel: no whole packet",
  "kernel-pass-unknown":       "not forwarded in the kernel: of no connection that it knows or could open",
  "kernel-pass-old":           "not forwarded in the kernel: something changed since the host let the connection in",
  "kernel-pass-event":         "not forwarded in the kernel: begins a connection, which the host's firewall is to let in",
  "kernel-pass-time-to-live":  "not forwarded in the kernel: its time to live is over",
  "kernel-pass-too-big":       "not forwarded in the kernel: too big for the way",
  "kernel-pass-elsewhere":     "not forwarded in the kernel: came in by another interface than the connection",
  "kernel-pass-no-checksum":   "not forwarded in the kernel: UDP without a checksum, which NAT makes",
  "kernel-pass-director":      "not forwarded in the kernel: the director deals with the connection itself",
  "kernel-pass-no-way":        "not forwarded in the kernel: it is not known yet how to get there",
  "kernel-pass-no-server":     "not opened in the kernel: no real server takes the connection",
  "kernel-pass-full":          "not opened in the kernel: no room in its table",
  "kernel-pass-half-open":     "not opened in the kernel: three quarters of its table are half open, and the director decides who gives way",
  "kernel-opened":             "connections that the kernel opened itself",
  "kernel-counts-mended":      "servers whose connections were counted anew, because a daemon before was killed while it counted",
  "kernel-expired":            "connections that the kernel ended itself, because no daemon looked after their time",
  "kernel-news-lost":          "news of the kernel's that had no place, and were made good by looking at all connections",
  "kernel-drop-no-memory":     "lost: the kernel had no memory to rewrite it",
  "kernel-flows-full":         "connections that the kernel could not be given: its table is full",
  "kernel-pass-unfinished":    "left to the host's stack by XDP, because its sender may have left its checksum to a card",
  "kernel-pass-no-xdp":        "left to the host's stack by XDP, because it leaves by an interface that takes no frames of drivers'",
  "kernel-attach-failed":      "interfaces that the kernel's program could not be attached to",
};

/** What the kernel would not say or do: the names end in its own word for why. */
// biome-ignore format: a table
const TROUBLES: readonly [prefix: string, words: string][] = [
  ["neighbour-table-full", "questions for a next hop that the kernel had no room for (net.ipv4.neigh.default.gc_thresh3)"],
  ["neighbour-",           "questions for a next hop that the kernel refused"],
  ["route-encapsulates",   "ways that lead into a tunnel of the routing table's own (lwtunnel): not supported"],
  ["route-",               "questions for a route that the kernel did not answer"],
  ["tunnel-mtu-",          "failures to tell the host the MTU of a tunnel's path"],
  ["bug-",                 "bugs of Sluice's: the packet was dropped, and the log has its stack"],
  ["mended-lane",          "times that the interface sluice-lane was set right, which somebody had changed or removed"],
  ["mended-ways",          "times that the lane's routes and neighbours were set right, which somebody had removed"],
  ["mended-rule",          "times that the routing rule into the lane was set right, which somebody had removed"],
  ["mend-",                "failures to set right what somebody changed of what Sluice set up on this host"],
  ["memory-",              "failures to read the free memory: what was read last is believed"],
  ["icmp-settings-",       "failures to read the host's limits on ICMP errors: those read last are believed"],
  ["kernel-refused-",      "calls of the kernel engine's own programs that the kernel refused: what they were for is tried again"],
  ["network-",             "failures to read the host's interfaces or neighbours: it is tried again"],
  ["link-unsupported",     "ways by an interface whose link layer is not supported"],
];

/** "" for one that has no words. */
export function explainReason(name: string): string {
  if (Object.hasOwn(WORDS, name)) return WORDS[name as keyof typeof WORDS];
  if (Object.hasOwn(KERNEL_WORDS, name)) return KERNEL_WORDS[name]!;
  return TROUBLES.find(([prefix]) => name.startsWith(prefix))?.[1] ?? "";
}
