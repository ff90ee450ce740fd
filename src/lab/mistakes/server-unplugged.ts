/** A real server's card is down: nobody answers ARP for it. */
import { ASK, BOTH_ANSWER } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const serverUnplugged: Mistake = {
  name: "server-unplugged",
  laboratory: "dr",
  title: { en: "A real server's network card is down", zh: "真实服务器的网卡断开" },
  breaking: [on("node02", "ip link set eth0 down"), on("node01", "ip neigh flush dev eth0")],
  complaint: { en: "Every second request finds nobody.", zh: "每两次请求就有一次找不到主机。" },
  symptom: look("client", ASK, /timed out|No route to host|Couldn't connect|Failed to connect/),
  why: {
    en: "IPVS goes on giving node02 its turn: it has no health checks of its own. The director asks for node02's MAC address, nobody answers, and what waits for the answer is dropped. Health checks find it in seconds.",
    zh: "IPVS 自己没有健康检查，仍然会把请求轮到 node02。调度器用 ARP 询问 node02 的 MAC，没有人应答，等待中的数据包被丢弃。健康检查可以在几秒内发现它。",
  },
  frames: look(
    "node01",
    "timeout 3 tcpdump -nne -c 1 -i eth0 arp and host 192.168.150.12",
    /who-has 192\.168\.150\.12 .*tell 192\.168\.150\.1[01]/,
  ),
  framesSay: {
    en: "The director asks for node02, and no answer follows.",
    zh: "调度器询问 node02，没有应答。",
  },
  doctor: { on: "node01", says: "neighbour-silent" },
  cure: [on("node02", "ip link set eth0 up"), on("node02", "route add default gw 192.168.150.1")],
  gone: BOTH_ANSWER,
};
