/** The VIP on lo with /24: handbook, on the mask of four 255. */
import { HIDDEN_VIP, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const vipSlash24: Mistake = {
  name: "vip-slash-24",
  laboratory: "dr",
  title: {
    en: "The VIP is on lo with netmask 255.255.255.0",
    zh: "lo 上的 VIP 使用了 255.255.255.0 掩码",
  },
  breaking: [on("node02", `ifconfig lo:2 ${VIP} netmask 255.255.255.0`)],
  complaint: {
    en: "node02 has lost its whole network, and every second request hangs.",
    zh: "node02 与整个网段失去联系，每两次请求就有一次卡住。",
  },
  symptom: look("client", "ping -c 1 -W 1 192.168.150.12", /100% packet loss/),
  why: {
    en: "An address on lo with /24 makes all of 192.168.150.0/24 local: node02 takes every neighbour's address for one of its own. What it sends to them stays inside, and what comes from them seems to come from itself and is dropped. 'ip route get 192.168.150.1' on node02 says \"local ... dev lo\". Therefore the mask of a hidden VIP is 255.255.255.255.",
    zh: "lo 上的 /24 地址会让整个 192.168.150.0/24 都变成本机地址：node02 把所有邻居的地址都当成自己的。发给邻居的包留在本机内部，邻居发来的包看起来来自自己，被丢弃。在 node02 上执行 ip route get 192.168.150.1 会显示 “local ... dev lo”。所以隐藏的 VIP 掩码必须是 255.255.255.255。",
  },
  frames: look("node02", "timeout 3 tcpdump -nne -c 1 -i eth0 icmp", /ICMP echo request/),
  framesSay: {
    en: "The question arrives at node02's card; no reply leaves it.",
    zh: "请求到达了 node02 的网卡，但没有回复发出。",
  },
  doctor: { on: "node02", says: "vip-prefix" },
  cure: [on("node02", HIDDEN_VIP)],
  gone: / 0% packet loss/,
};
