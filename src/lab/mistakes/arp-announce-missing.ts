/** The real server asks for its client in the VIP's name: arp_announce 0. */
import { ANNOUNCE, ASK_AND_LOOK, NOT_POISONED, POISONED } from "./arp.ts";
import { HIDE_ADDRESSES, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const arpAnnounceMissing: Mistake = {
  name: "arp-announce-missing",
  laboratory: "dr",
  title: { en: "arp_announce is not set on a real server", zh: "真实服务器没有设置 arp_announce" },
  breaking: [
    on("node02", "sysctl -w net.ipv4.conf.all.arp_announce=0 net.ipv4.conf.eth0.arp_announce=0"),
    on("node02", "ip neigh flush dev eth0"),
  ],
  complaint: {
    en: "For a while it is balanced, then this client gets node02 alone, and the director sees no more of it.",
    zh: "起初是均衡的，过一会儿这个客户端就只能访问到 node02，调度器上也看不到它了。",
  },
  symptom: look("client", ASK_AND_LOOK, POISONED),
  why: {
    en: "A real server that answers as the VIP has to know its client's MAC address. With arp_announce 0 its question says the packet's own source: \"who has 192.168.150.1, tell 192.168.150.100\". Everybody who hears it learns that the VIP is at node02's MAC address, and arp_ignore is no help: nobody asked. It begins when node02 forgets the client, and ends when the client's entry is asked for anew: it comes and goes.",
    zh: "真实服务器以 VIP 的身份回复客户端之前，要先知道客户端的 MAC。arp_announce 为 0 时，它的 ARP 请求使用数据包自己的源地址：“谁是 192.168.150.1，请告诉 192.168.150.100”。听到的主机都会记下“VIP 在 node02 的 MAC 上”；arp_ignore 帮不上忙，因为没有人提问。故障在 node02 的 ARP 缓存过期时出现，在客户端重新询问后消失，时有时无。",
  },
  frames: look(
    "node02",
    `timeout 3 tcpdump -nne -c 3 -i eth0 arp and host ${VIP}`,
    /96:0c > [\s\S]*who-has 192\.168\.150\.1 .*tell 192\.168\.150\.100/,
  ),
  framesSay: {
    en: "node02 (…:0c) asks for the client and wants the VIP to be told.",
    zh: "node02（…:0c）询问客户端的 MAC，并要求“告诉 VIP”。",
  },
  doctor: { on: "node02", says: "arp-announce" },
  cure: [on("node02", HIDE_ADDRESSES), on("node01", ANNOUNCE)],
  gone: NOT_POISONED,
};
