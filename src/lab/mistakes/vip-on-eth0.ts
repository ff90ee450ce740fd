/** The VIP on a real server's card, where arp_ignore=1 answers for it. */
import { ASK_FOR_VIP, ONE_ANSWER, SERVER_ANSWERS } from "./arp.ts";
import { HIDDEN_VIP, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const vipOnEth0: Mistake = {
  name: "vip-on-eth0",
  laboratory: "dr",
  title: {
    en: "The VIP is on a real server's eth0 instead of lo",
    zh: "VIP 配在真实服务器的 eth0 上，而不是 lo 上",
  },
  breaking: [
    on("node02", "ifconfig lo:2 down"),
    on("node02", `ifconfig eth0:2 ${VIP} netmask 255.255.255.255`),
  ],
  complaint: {
    en: "All ARP settings are there, and two hosts answer for the VIP.",
    zh: "ARP 参数都设置了，但仍然有两台主机应答 VIP。",
  },
  symptom: look("client", ASK_FOR_VIP, SERVER_ANSWERS),
  why: {
    en: "arp_ignore 1 answers for addresses of the interface that the question arrives on. A VIP on eth0 is such an address: the setting hides what is on other interfaces only. On lo, where no question arrives, the VIP is hidden outside and known inside.",
    zh: "arp_ignore 为 1 时会应答“收到请求的接口上”的地址。配在 eth0 上的 VIP 正是这样的地址：这个参数只能隐藏其他接口上的地址。放在 lo 上，没有请求会从那里进来，才能做到对外隐藏、对内可见。",
  },
  frames: look(
    "client",
    "timeout 3 tcpdump -nne -c 4 -i eth0 arp",
    /192\.168\.150\.100 is-at 02:00:c0:a8:96:0c/,
  ),
  framesSay: { en: "node02 (…:0c) answers for the VIP.", zh: "node02（…:0c）应答了 VIP 的 ARP。" },
  doctor: { on: "node02", says: "vip-on-card" },
  cure: [on("node02", "ifconfig eth0:2 down"), on("node02", HIDDEN_VIP)],
  gone: ONE_ANSWER,
};
