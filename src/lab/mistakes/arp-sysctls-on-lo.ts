/** The ARP settings were made on lo, where no question arrives. */
import { ASK_FOR_VIP, ONE_ANSWER, SERVER_ANSWERS } from "./arp.ts";
import { HIDE_ADDRESSES } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const arpSysctlsOnLo: Mistake = {
  name: "arp-sysctls-on-lo",
  laboratory: "dr",
  title: { en: "The ARP settings are made on lo only", zh: "只在 lo 上设置了 arp_ignore" },
  breaking: [
    on("node02", "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0"),
    on("node02", "sysctl -w net.ipv4.conf.lo.arp_ignore=1 net.ipv4.conf.lo.arp_announce=2"),
  ],
  complaint: {
    en: "ARP is configured as the guide says, where the VIP is, and still some users always get the same server.",
    zh: "已经按教程在 VIP 所在的接口上配置了 ARP，但有些用户仍然总是访问到同一台服务器。",
  },
  symptom: look("client", ASK_FOR_VIP, SERVER_ANSWERS),
  why: {
    en: "What counts is the larger of conf.all and of the interface that the question arrives on. Questions come in by eth0, never by lo: a setting on lo alone has no effect, though the VIP is there. Set it on all (or on each card).",
    zh: "起作用的是 conf.all 与“收到请求的接口”二者中较大的值。ARP 请求从 eth0 进来，绝不会从 lo 进来：虽然 VIP 在 lo 上，只设置 lo 没有任何效果。应当设置 all（或每一块网卡）。",
  },
  frames: look(
    "client",
    "timeout 3 tcpdump -nne -c 4 -i eth0 arp",
    /192\.168\.150\.100 is-at 02:00:c0:a8:96:0c/,
  ),
  framesSay: {
    en: "node02 (…:0c) answers for the VIP on eth0.",
    zh: "node02（…:0c）在 eth0 上应答了 VIP 的 ARP。",
  },
  doctor: { on: "node02", says: "arp-ignore-on-lo" },
  cure: [on("node02", HIDE_ADDRESSES)],
  gone: ONE_ANSWER,
  restoring: [
    on("node02", "sysctl -w net.ipv4.conf.lo.arp_ignore=0 net.ipv4.conf.lo.arp_announce=0"),
  ],
};
