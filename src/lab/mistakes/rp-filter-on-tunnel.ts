/** A strict reverse path filter where packets come out of a tunnel. */
import { ASK, BOTH_ANSWER } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const rpFilterOnTunnel: Mistake = {
  name: "rp-filter-on-tunnel",
  laboratory: "tun",
  title: {
    en: "The reverse path filter is strict where packets come out of the tunnel",
    zh: "隧道出口的 rp_filter 是严格模式",
  },
  breaking: [on("node02", "sysctl -w net.ipv4.conf.tunl0.rp_filter=1")],
  complaint: {
    en: "Tunnel packets reach node02, and every second request hangs.",
    zh: "隧道数据包到达了 node02，但每两次请求就有一次卡住。",
  },
  symptom: look("client", ASK, /timed out/),
  why: {
    en: "What comes out of the tunnel is from a client whom node02 would answer by eth0. A strict filter (1) takes only what arrives by the interface that an answer would leave by, and drops this without a word; 'nstat -az TcpExtIPReversePathFilter' counts. The larger of all and the interface's own value holds: 2 (loose) on the tunnel's interface is right, whatever all says.",
    zh: "从隧道出来的包来自客户端，而 node02 会从 eth0 回复它。严格模式（1）只接受“回复也会从这里出去”的接口收到的包，于是悄悄丢弃；nstat -az TcpExtIPReversePathFilter 会计数。生效的是 all 与接口自身二者中较大的值：在隧道接口上设为 2（宽松）总是对的。",
  },
  frames: look(
    "node02",
    "timeout 3 tcpdump -nn -c 1 -i tunl0 tcp",
    /192\.168\.150\.1\.\d+ > 192\.168\.150\.100\.80: Flags \[S\]/,
  ),
  framesSay: {
    en: "The SYN has come out of the tunnel, on node02; no answer leaves.",
    zh: "SYN 已经从 node02 的隧道里出来，但没有回复。",
  },
  doctor: { on: "node02", says: "rp-filter" },
  cure: [on("node02", "sysctl -w net.ipv4.conf.tunl0.rp_filter=2")],
  gone: BOTH_ANSWER,
};
