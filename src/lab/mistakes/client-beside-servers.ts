/** With NAT a client stands in the servers' network. */
import { OUTSIDE_SITE, OUTSIDE_VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const clientBesideServers: Mistake = {
  name: "client-beside-servers",
  laboratory: "nat",
  title: {
    en: "With NAT, a client is in the servers' own network",
    zh: "NAT 模式下客户端与服务器在同一网段",
  },
  // node03 is a client today.
  breaking: [on("node01", `ipvsadm -d -t ${OUTSIDE_VIP}:80 -r 192.168.150.13:8080`)],
  complaint: {
    en: "From outside all is well; a host beside the servers, node03, does not reach the site.",
    zh: "外网访问一切正常；与服务器同网段的主机 node03 却打不开网站。",
  },
  symptom: look("node03", `curl -sS -m 2 ${OUTSIDE_SITE}`, /timed out|reset/),
  why: {
    en: "The request goes through the director and its destination becomes node02; its source stays 192.168.150.13. node02 sees a neighbour and answers straight to it, past the director: node03 asked 203.0.113.100, hears from 192.168.150.12, and resets that. Such clients need their source rewritten too (SNAT with net.ipv4.vs.conntrack=1), or the servers a host route to them through the director.",
    zh: "请求经过调度器，目的地址变成 node02，源地址仍是 192.168.150.13。node02 发现对方是邻居，便绕过调度器直接回复：node03 询问的是 203.0.113.100，却收到 192.168.150.12 的回复，于是复位。这样的客户端还需要改写源地址（SNAT 加 net.ipv4.vs.conntrack=1），或让服务器经调度器到达它们（主机路由）。",
  },
  frames: look(
    "node03",
    "timeout 3 tcpdump -nne -c 2 -i eth0 port 8080",
    /192\.168\.150\.12\.8080 > 192\.168\.150\.13\.\d+: Flags \[S\.\][\s\S]*Flags \[R/,
  ),
  framesSay: {
    en: "node02's SYN-ACK reaches node03 from an address that it never asked, and is reset.",
    zh: "node02 的 SYN-ACK 以 node03 从未请求过的地址到达，被复位。",
  },
  doctor: { on: "node01", says: "client-beside-server" },
  cure: [on("node02", "ip route add 192.168.150.13 via 192.168.150.11")],
  gone: /^from 192\.168\.150\.12/,
  restoring: [
    on("node02", "ip route del 192.168.150.13 via 192.168.150.11"),
    on("node01", `ipvsadm -a -t ${OUTSIDE_VIP}:80 -r 192.168.150.13:8080 -m -w 1`),
  ],
};
