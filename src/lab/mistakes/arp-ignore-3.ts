/** arp_ignore=3 hides addresses of scope host alone. */
import { ASK_FOR_VIP, ONE_ANSWER, SERVER_ANSWERS } from "./arp.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const arpIgnore3: Mistake = {
  name: "arp-ignore-3",
  laboratory: "dr",
  title: {
    en: "arp_ignore is 3, which hides only addresses of scope host",
    zh: "arp_ignore 设成 3，只隐藏 scope host 的地址",
  },
  breaking: [
    on("node02", "sysctl -w net.ipv4.conf.all.arp_ignore=3 net.ipv4.conf.eth0.arp_ignore=3"),
  ],
  complaint: {
    en: "arp_ignore is set, higher than the guide says, and still two hosts answer for the VIP.",
    zh: "arp_ignore 已经设置，而且比教程里的值还大，但仍然有两台主机应答 VIP。",
  },
  symptom: look("client", ASK_FOR_VIP, SERVER_ANSWERS),
  why: {
    en: "The values of arp_ignore are no scale. 3 means: do not answer for addresses of scope host. ifconfig and ip add the VIP with scope global, so 3 answers for it as 0 does. 1 (only for addresses of the receiving interface) or 2 are what hides it; 4 to 7 behave as 0, and 8 silences even the RIP.",
    zh: "arp_ignore 的值不是越大越严格。3 的意思是：不应答 scope host 的地址。ifconfig 和 ip 添加的 VIP 默认是 scope global，所以 3 和 0 一样会应答。应当用 1（只应答收到请求的接口上的地址）或 2；4 到 7 等同于 0，8 连 RIP 都不应答。",
  },
  frames: look(
    "client",
    "timeout 3 tcpdump -nne -c 4 -i eth0 arp",
    /192\.168\.150\.100 is-at 02:00:c0:a8:96:0c/,
  ),
  framesSay: { en: "node02 (…:0c) answers for the VIP.", zh: "node02（…:0c）应答了 VIP 的 ARP。" },
  doctor: { on: "node02", says: "arp-ignore-3" },
  cure: [on("node02", "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.eth0.arp_ignore=1")],
  gone: ONE_ANSWER,
};
