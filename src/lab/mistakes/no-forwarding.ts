/** With NAT the director does not forward. */
import { OUTSIDE_SITE } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const noForwarding: Mistake = {
  name: "no-forwarding",
  laboratory: "nat",
  title: {
    en: "With NAT, the director does not forward (ip_forward=0)",
    zh: "NAT 模式下调度器没有打开 ip_forward",
  },
  breaking: [on("node01", "sysctl -w net.ipv4.ip_forward=0")],
  complaint: {
    en: "Requests reach the servers, and nobody gets an answer.",
    zh: "请求到达了服务器，但没有人得到应答。",
  },
  symptom: look("client", `curl -sS -m 2 ${OUTSIDE_SITE}`, /timed out/),
  why: {
    en: "Requests are for the VIP, the director's own address, and need no forwarding. Replies are for the client: to the director they are somebody else's packets, and IPVS meets them at the forward hook. A host that does not forward drops them before. Direct routing needs no forwarding; NAT does.",
    zh: "请求的目的地址 VIP 是调度器自己的地址，不需要转发。回复的目的地址是客户端，对调度器来说是别人的包，IPVS 在 FORWARD 钩子处理它们。没有打开转发的主机在此之前就丢弃了。DR 模式不需要转发，NAT 模式需要。",
  },
  frames: look(
    "node01",
    "timeout 3 tcpdump -nne -c 1 -i eth1 src port 8080",
    /192\.168\.150\.1[23]\.8080 > 203\.0\.113\.1\.\d+: Flags \[S\.\]/,
  ),
  framesSay: {
    en: "The server's SYN-ACK reaches the director's inner card, and goes no further.",
    zh: "服务器的 SYN-ACK 到达调度器的内网卡，就此停住。",
  },
  doctor: { on: "node01", says: "not-forwarding" },
  cure: [on("node01", "sysctl -w net.ipv4.ip_forward=1")],
  gone: /^from 192\.168\.150\.1[23]/,
};
