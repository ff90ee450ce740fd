/** A real server beyond a router with direct routing. */
import { ASK, BOTH_ANSWER, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const ripNotOnLink: Mistake = {
  name: "rip-not-on-link",
  laboratory: "dr",
  title: {
    en: "With direct routing, a real server is behind a router",
    zh: "DR 模式下真实服务器不在同一个二层网络",
  },
  breaking: [
    on("node01", `ipvsadm -d -t ${VIP}:80 -r 192.168.150.12`),
    on("node01", `ipvsadm -a -t ${VIP}:80 -r 203.0.113.12 -g -w 1`),
  ],
  complaint: {
    en: "A server in the other network was added; every second request hangs.",
    zh: "把另一个网段的服务器加进来后，每两次请求就有一次卡住。",
  },
  symptom: look("client", ASK, /timed out/),
  why: {
    en: "Direct routing writes the next hop's MAC address before the packet. For a server that is not on the director's own wire this is the gateway's, and the packet is still for the VIP: the gateway sends it back to the director (until its time to live is over), or drops it. Direct routing reaches one's own wire only; tunnels (-i) reach further.",
    zh: "DR 模式把下一跳的 MAC 写到帧上。如果服务器不在调度器所在的二层网络，下一跳就是网关，而数据包的目的地址仍是 VIP：网关会把它送回调度器（直到 TTL 耗尽），或者丢弃。DR 只能到达同一条线上的服务器，更远的要用隧道模式（-i）。",
  },
  frames: look(
    "client",
    `timeout 3 tcpdump -nne -c 1 -i eth0 ether src 02:00:c0:a8:96:0b and dst host ${VIP}`,
    /96:0b > 02:00:c0:a8:96:01.* > 192\.168\.150\.100\.80: Flags \[S\]/,
  ),
  framesSay: {
    en: "The SYN for the VIP comes from the director (…:0b) to the gateway (…:01), which is the client itself here.",
    zh: "发往 VIP 的 SYN 被调度器（…:0b）送到了网关（…:01），在这里就是客户端自己。",
  },
  doctor: { on: "node01", says: "not-on-link" },
  cure: [
    on("node01", `ipvsadm -d -t ${VIP}:80 -r 203.0.113.12`),
    on("node01", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.12 -g -w 1`),
  ],
  gone: BOTH_ANSWER,
};
