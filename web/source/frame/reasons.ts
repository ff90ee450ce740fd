/** What each reason of a packet's fate says, where the reader's language is not the daemon's. */
import type { Reason } from "../../../src/ipvs/packets/reasons.ts";
import { language } from "./preferences.ts";

// biome-ignore format: a table
const REASONS: Readonly<Partial<Record<string, string>> & Record<Reason, string>> = {
  "forward-masquerade":       "转发给服务器，地址已改写 (-m)",
  "forward-route":            "原样转发给服务器 (-g)",
  "forward-tunnel":           "经隧道转发给服务器 (-i)",
  "forward-bypass":           "没有服务器，按原目的地址转发 (cache_bypass)",
  "forward-reply":            "NAT 服务器的应答，以服务的名义转发给客户端",
  "forward-icmp-request":     "客户端关于某个连接的 ICMP 报文，转发给服务器",
  "forward-icmp-reply":       "关于服务器数据包的 ICMP 报文，转发给客户端",
  "pass-no-services":         "交给主机：没有该协议族的服务",
  "pass-not-unicast":         "交给主机：广播或组播",
  "pass-malformed":           "交给主机：不是完整的 IP 报文",
  "pass-martian-source":      "交给主机：不可能的源地址",
  "pass-not-balanced":        "交给主机：不是 TCP、UDP、SCTP 或 ICMP",
  "pass-fragment":            "交给主机：不属于任何服务的分片",
  "pass-no-service":          "交给主机：没有服务使用该地址和端口",
  "pass-not-local":           "交给主机：只是路过，或 VIP 已不在本机",
  "pass-not-first":           "交给主机：未知连接中间的 TCP 或 SCTP 报文 (sloppy_tcp)",
  "pass-icmp-unrelated":      "交给主机：与服务的连接无关的 ICMP",
  "pass-ftp-other-port":      "交给主机：持久 FTP 服务，该端口没有连接",
  "pass-source-port-20":      "交给主机：FTP 服务器到客户端的数据连接",
  "pass-local-destination":   "交还主机：服务器或客户端就是本机",
  "pass-reply":               "经过本机的服务器应答，原样继续 (-g, -i)",
  "pass-reply-rewritten":     "本机上服务器的应答，以服务的名义发出",
  "pass-not-forwarding":      "交给主机：服务器的应答，而本机不转发 (net.ipv4.ip_forward)",
  "drop-malformed":           "丢弃：报文头自相矛盾",
  "drop-no-destination":      "丢弃：没有服务器接受新连接（没有、权重为 0 或已满）",
  "drop-destination-removed": "丢弃：连接的服务器已移除，或权重为 0 且已静默",
  "drop-table-full":          "丢弃：连接表已满 (--connections)",
  "drop-adopting":            "丢弃：正在接管前一个守护进程的连接，发送方会重发",
  "drop-service-share":       "丢弃：连接表将满，该服务已用完它的份额",
  "drop-defence":             "丢弃：防御机制 (net.ipv4.vs.drop_packet)",
  "drop-overload":            "丢弃：数据包多得处理不过来，而它会打开新连接",
  "drop-no-call-id":          "丢弃：读不到 Call-ID (--pe sip)",
  "drop-unreachable":         "丢弃：没有到服务器或回客户端的路由",
  "drop-time-exceeded":       "丢弃：TTL 用完，已告知发送方",
  "drop-packet-too-big":      "丢弃：超过路径 MTU 且不允许分片，已告知发送方",
  "drop-crosses-local":       "丢弃：在环回地址与其他地址之间",
  "drop-bad-checksum":        "丢弃：校验和错误",
  "drop-path-mtu-learnt":     "收下：路由器告知了隧道路径的 MTU",
  "hold-fragment":            "保留，等待其余分片",
  "gave-way-half-open":       "连接：半开，表将满时让位给新连接",
  "gave-way-ended":           "连接：已结束，表将满时让位给新连接",
  "ring-full":                "丢失：到达太快，来不及处理",
  "ring-truncated":           "丢失：超过环形缓冲区一格的长度",
  "ring-stale":               "丢弃：等待太久，已无人需要",
  "transmit-congested":       "丢失：接口暂时不接受更多数据包",
  "transmit-failed":          "丢失：内核拒绝发送",
  "neighbour-queue-full":     "丢失：等待下一跳链路层地址的数据包太多",
  "neighbour-refused":        "丢失：内核不去查找下一跳（邻居表已满？）",
  "neighbour-silent":         "丢失：下一跳没有应答，已告知发送方",
  "link-gone":                "丢失：接口已不存在",
};

/** Undefined where the daemon's own words are the reader's. */
export function sayReason(reason: string): string | undefined {
  return language.value === "zh" ? REASONS[reason] : undefined;
}
