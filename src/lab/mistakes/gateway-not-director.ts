/** With NAT the real server's gateway is not the director. */
import { BOTH_ANSWER, OUTSIDE_SITE } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const gatewayNotDirector: Mistake = {
  name: "gateway-not-director",
  laboratory: "nat",
  title: {
    en: "With NAT, a real server's default gateway is not the director",
    zh: "NAT 模式下真实服务器的默认网关不是调度器",
  },
  breaking: [
    on("node02", "route del default gw 192.168.150.11"),
    on("node02", "route add default gw 192.168.150.13"),
  ],
  complaint: {
    en: "Every second request hangs; both servers answer when the director asks them.",
    zh: "每两次请求就有一次卡住；从调度器访问两台服务器都正常。",
  },
  symptom: look("client", `curl -sS -m 2 ${OUTSIDE_SITE} ${OUTSIDE_SITE}`, /timed out/),
  why: {
    en: "Masquerading has to rewrite both ways: the reply's source must become the VIP again. A reply that leaves by another gateway keeps node02's own address; the client, if it gets it at all, knows no such connection and resets it. The director waits in SYN_RECV. With NAT the director is the servers' gateway.",
    zh: "NAT 模式两个方向都要改写：回复的源地址必须再变回 VIP。从别的网关出去的回复仍是 node02 自己的地址；客户端即使收到，也不认识这个连接而复位它。调度器上停在 SYN_RECV。NAT 模式下调度器必须是服务器的网关。",
  },
  frames: look(
    "node02",
    "timeout 3 tcpdump -nne -c 1 -i eth0 src host 192.168.150.12 and port 8080",
    /96:0c > 02:00:c0:a8:96:0d.*192\.168\.150\.12\.8080 > 203\.0\.113\.1\.\d+: Flags \[S\.\]/,
  ),
  framesSay: {
    en: "node02's SYN-ACK leaves for …:0d instead of the director's …:0b.",
    zh: "node02 的 SYN-ACK 发往 …:0d，而不是调度器 …:0b。",
  },
  doctor: { on: "node02", says: "gateway-not-director" },
  cure: [
    on("node02", "route del default gw 192.168.150.13"),
    on("node02", "route add default gw 192.168.150.11"),
  ],
  gone: BOTH_ANSWER,
};
