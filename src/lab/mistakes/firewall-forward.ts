/** FORWARD rules for requests, which never pass that chain. */
import { SITE, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const firewallForward: Mistake = {
  name: "firewall-forward",
  laboratory: "dr",
  title: {
    en: "The director's firewall lets requests through in FORWARD, but not in INPUT",
    zh: "调度器的防火墙只在 FORWARD 放行，INPUT 却丢弃",
  },
  breaking: [
    on("node01", "iptables -A INPUT -p tcp --dport 80 -j DROP"),
    on("node01", `iptables -A FORWARD -p tcp -d ${VIP} --dport 80 -j ACCEPT`),
  ],
  complaint: {
    en: "Since the director has a firewall, with a rule that forwards the site's packets, nobody reaches the site.",
    zh: "调度器装上防火墙并加了转发网站数据包的规则之后，谁也打不开网站了。",
  },
  symptom: look("client", `curl -sS -m 2 ${SITE}`, /timed out/),
  why: {
    en: "The director does not forward requests as a router does. They are for the VIP, which is its own address: they pass PREROUTING and INPUT, where IPVS takes them, and leave by OUTPUT and POSTROUTING. FORWARD sees only the replies of masqueraded servers. A rule in FORWARD for requests matches nothing.",
    zh: "调度器并不像路由器那样转发请求。请求的目的地址 VIP 是它自己的地址：数据包经过 PREROUTING 和 INPUT，在那里被 IPVS 取走，再从 OUTPUT 和 POSTROUTING 出去。FORWARD 只会看到 NAT 模式服务器的回复。在 FORWARD 里为请求写的规则什么也匹配不到。",
  },
  frames: look(
    "node01",
    `timeout 3 tcpdump -nne -c 1 -i eth0 dst host ${VIP} and port 80`,
    /96:01 > 02:00:c0:a8:96:0b.*Flags \[S\]/,
  ),
  framesSay: {
    en: "The SYN reaches the director's card; nothing goes on to a server.",
    zh: "SYN 到达了调度器的网卡，但没有继续发往服务器。",
  },
  doctor: { on: "node01", says: "filtered" },
  cure: [on("node01", "iptables -D INPUT -p tcp --dport 80 -j DROP")],
  gone: /^from 192\.168\.150\.1[23]/,
  restoring: [on("node01", `iptables -D FORWARD -p tcp -d ${VIP} --dport 80 -j ACCEPT`)],
};
