/** After a failover nobody told the neighbours. */
import { ANNOUNCE } from "./arp.ts";
import { SITE, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const staleArp: Mistake = {
  name: "stale-arp",
  laboratory: "dr",
  title: {
    en: "After a failover the gateway still knows the old director's MAC address",
    zh: "故障切换后，网关仍记着旧调度器的 MAC",
  },
  // As if the director before had been at …:0e.
  breaking: [
    on("client", `ip neigh replace ${VIP} lladdr 02:00:c0:a8:96:0e dev eth0 nud reachable`),
  ],
  complaint: {
    en: "The standby director has taken over, everything on it is right, and nobody reaches the site.",
    zh: "备用调度器已经接管，上面的一切都正确，但没有人能访问网站。",
  },
  symptom: look("client", `curl -sS -m 2 ${SITE}`, /timed out/),
  why: {
    en: "The VIP moved, but an ARP cache still has the MAC address of the director that is gone, and frames for it reach nobody. Entries live for seconds on hosts and for minutes or hours on routers. Whoever takes over has to announce the VIP by gratuitous ARP, as keepalived does, or 'arping -U' by hand.",
    zh: "VIP 已经转移，但网关的 ARP 缓存里仍是旧调度器的 MAC，发往它的帧谁也收不到。主机上的条目几十秒过期，路由器上可能要几分钟甚至几小时。接管者必须用免费 ARP 通告 VIP，keepalived 会自动做，手工可用 arping -U。",
  },
  frames: look(
    "client",
    `timeout 3 tcpdump -nne -c 1 -i eth0 dst host ${VIP} and port 80`,
    /96:01 > 02:00:c0:a8:96:0e/,
  ),
  framesSay: {
    en: "The client's SYN goes to …:0e, which is nobody; the director is …:0b.",
    zh: "客户端的 SYN 发往 …:0e，那里没有主机；调度器是 …:0b。",
  },
  doctor: { on: "node01", says: "sent-elsewhere" },
  cure: [on("node01", ANNOUNCE)],
  gone: /^from 192\.168\.150\.1[23]/,
};
