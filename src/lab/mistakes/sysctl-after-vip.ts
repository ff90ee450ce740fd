/** The VIP came before the settings that hide it: handbook, second step. */
import { ANNOUNCE, ASK_AND_LOOK, NOT_POISONED, POISONED } from "./arp.ts";
import { HIDDEN_VIP, HIDE_ADDRESSES, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const sysctlAfterVip: Mistake = {
  name: "sysctl-after-vip",
  laboratory: "dr",
  title: { en: "The ARP settings came after the VIP", zh: "先配置 VIP，后修改 ARP 参数" },
  breaking: [
    on("client", `ping -c 1 -W 2 ${VIP}`),
    on("node02", "ifconfig lo:2 down"),
    on(
      "node02",
      "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0 net.ipv4.conf.eth0.arp_ignore=0 net.ipv4.conf.eth0.arp_announce=0",
    ),
    on("node02", HIDDEN_VIP),
    // What CentOS's ifup does for each address that it adds.
    on("node02", `arping -A -c 1 -I eth0 ${VIP}`),
    on("node02", HIDE_ADDRESSES),
  ],
  complaint: {
    en: "Every setting is right when one looks at it, and still one client gets node02 alone.",
    zh: "检查每一项配置都是对的，但仍然有客户端只能访问到 node02。",
  },
  symptom: look("client", ASK_AND_LOOK, POISONED),
  why: {
    en: "Between the VIP's coming and the settings node02 answered, and announced, that the VIP is at its own MAC address. The settings silence it from then on, but they take nothing back: caches keep what they have learnt, those of routers for minutes or hours. First the settings, then the VIP. Gratuitous ARP from the director corrects everybody at once.",
    zh: "在添加 VIP 之后、修改参数之前，node02 已经应答并通告过“VIP 在我的 MAC 上”。之后的设置只能让它从此沉默，不能收回说过的话：各处的 ARP 缓存仍然保留，路由器上可达几分钟甚至几小时。必须先改参数，再配 VIP。由调度器发送免费 ARP 可以立即纠正所有缓存。",
  },
  frames: look(
    "node02",
    `timeout 3 tcpdump -nne -c 1 -i eth0 dst host ${VIP} and port 80`,
    /96:01 > 02:00:c0:a8:96:0c/,
  ),
  framesSay: {
    en: "The client's frames come to node02 from the client's own MAC address (…:01), not from the director's.",
    zh: "到达 node02 的帧源 MAC 是客户端自己（…:01），而不是调度器。",
  },
  doctor: { on: "node02", says: "bypasses-director" },
  cure: [on("node01", ANNOUNCE)],
  gone: NOT_POISONED,
};
