/** Connection tracking that sees one half of each connection. */
import { SITE, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const conntrackHalf: Mistake = {
  name: "conntrack-half",
  laboratory: "dr",
  title: {
    en: "The director's firewall drops INVALID, and sees only one half of each connection",
    zh: "调度器的防火墙丢弃 INVALID，却只看得到连接的一半",
  },
  breaking: [
    on("node01", "sysctl -w net.netfilter.nf_conntrack_tcp_loose=0"),
    on("node01", "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP"),
  ],
  complaint: {
    en: "Connections come about and then stand still.",
    zh: "连接能够建立，然后就停住不动。",
  },
  symptom: look("client", `curl -sS -m 2 ${SITE}`, /timed out/),
  why: {
    en: "With direct routing replies do not come by the director: its connection tracking sees the SYN, never the SYN-ACK, and takes the client's ACK for INVALID. A rule that drops INVALID cuts every connection after the handshake. Let the service's packets past connection tracking (NOTRACK), or accept them before.",
    zh: "DR 模式的回复不经过调度器：它的连接跟踪只看到 SYN，看不到 SYN-ACK，于是把客户端随后的 ACK 判为 INVALID。丢弃 INVALID 的规则会在握手之后切断每个连接。应当让服务的数据包不做连接跟踪（NOTRACK），或在此规则之前放行。",
  },
  frames: look(
    "client",
    `timeout 3 tcpdump -nne -c 4 -i eth0 host ${VIP} and port 80`,
    /Flags \[S\.\][\s\S]*Flags \[P?\.\]/,
  ),
  framesSay: {
    en: "SYN, SYN-ACK, ACK: the handshake is whole for the client; what it sends next is not answered.",
    zh: "SYN、SYN-ACK、ACK：对客户端来说握手已经完成，但之后发送的数据得不到应答。",
  },
  doctor: { on: "node01", says: "half-seen" },
  cure: [on("node01", "iptables -D INPUT -m conntrack --ctstate INVALID -j DROP")],
  gone: /^from 192\.168\.150\.1[23]/,
  restoring: [on("node01", "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1")],
};
