/** The real server answers ARP for the VIP: spec of the ARP problem, arp_ignore 0. */
import { ASK_FOR_VIP, ONE_ANSWER, SERVER_ANSWERS } from "./arp.ts";
import { HIDE_ADDRESSES } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const arpIgnoreMissing: Mistake = {
  name: "arp-ignore-missing",
  laboratory: "dr",
  title: { en: "arp_ignore is not set on a real server", zh: "真实服务器没有设置 arp_ignore" },
  breaking: [
    on("node02", "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0"),
  ],
  complaint: {
    en: "It works, but some users always get the same server, and the director does not count them.",
    zh: "网站能用，但有些用户总是访问到同一台服务器，而且调度器上看不到他们的连接。",
  },
  symptom: look("client", ASK_FOR_VIP, SERVER_ANSWERS),
  why: {
    en: "With arp_ignore 0 a host answers ARP for any address that it has, whichever interface holds it: the VIP on lo is answered on eth0. Whoever takes that answer sends all its packets straight to node02. Nothing fails, and nothing is balanced: the director never sees these connections, and who is lucky changes whenever an ARP cache expires.",
    zh: "arp_ignore 为 0 时，只要本机任何接口上有这个地址，主机就会应答 ARP：lo 上的 VIP 会在 eth0 上被应答。采用了这个应答的客户端把所有数据包直接发给 node02。看起来没有出错，但没有负载均衡：调度器看不到这些连接，而且每当 ARP 缓存过期，情况又会变化。",
  },
  frames: look(
    "client",
    "timeout 3 tcpdump -nne -c 4 -i eth0 arp",
    /192\.168\.150\.100 is-at 02:00:c0:a8:96:0c/,
  ),
  framesSay: {
    en: "Two hosts answer for the VIP; one of them is node02 (…:0c).",
    zh: "有两台主机应答 VIP 的 ARP，其中一台是 node02（…:0c）。",
  },
  doctor: { on: "node02", says: "arp-ignore" },
  cure: [on("node02", HIDE_ADDRESSES)],
  gone: ONE_ANSWER,
};
