/** A tunnel's smaller MTU, and nobody may say so. */
import { SITE } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const mtuIcmpBlocked: Mistake = {
  name: "mtu-icmp-blocked",
  laboratory: "tun",
  title: {
    en: "The tunnel makes packets too big, and the message that says so is blocked",
    zh: "隧道使数据包过大，而“需要分片”的 ICMP 被拦截",
  },
  breaking: [
    on("node01", "iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP"),
    on("client", "ip route flush cache"),
  ],
  complaint: { en: "Pages load; uploads hang.", zh: "页面能打开，上传却卡住。" },
  symptom: look(
    "client",
    `head -c 100000 /dev/zero > /run/upload; curl -sS -m 3 ${SITE}; curl -sS -m 3 --data-binary @/run/upload ${SITE}`,
    /^from \S+\n[\s\S]*timed out/,
  ),
  why: {
    en: "An outer header takes 20 bytes of each packet, so that the client's full segments no longer fit the wire. The director says so: \"fragmentation needed, MTU 1480\". Where a firewall blocks all ICMP the client never hears of it, and sends the same large packet again and again. Small packets pass. Let ICMP type 3 code 4 through, or make the route's MTU smaller for the clients.",
    zh: "外层报头占用 20 字节，客户端的满长报文段放不进线路的 MTU。调度器会通知：“需要分片，MTU 1480”。如果防火墙拦截了全部 ICMP，客户端永远听不到，只会反复重发同一个大包，小包则能通过。应当放行 ICMP 类型 3 代码 4，或减小路由的 MTU。",
  },
  frames: look(
    "client",
    "timeout 3 tcpdump -nne -c 2 -i eth0 greater 1500",
    /length 1514.* > 192\.168\.150\.100\.80/,
  ),
  framesSay: {
    en: "Full-sized segments (1514 bytes with Ethernet's header) leave the client again and again.",
    zh: "满长的报文段（含以太网头 1514 字节）从客户端反复发出。",
  },
  doctor: { on: "node01", says: "icmp-blocked" },
  cure: [on("node01", "iptables -D OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP")],
  gone: /100000 bytes/,
};
