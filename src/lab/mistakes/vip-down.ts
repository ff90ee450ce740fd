/** The VIP is missing on a real server: handbook, the experiment at its end. */
import { ASK, BOTH_ANSWER, HIDDEN_VIP, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const vipDown: Mistake = {
  name: "vip-down",
  laboratory: "dr",
  title: { en: "The VIP is missing on a real server", zh: "真实服务器上没有 VIP" },
  breaking: [on("node02", "ifconfig lo:2 down")],
  complaint: { en: "Every second request hangs.", zh: "每两次请求就有一次卡住。" },
  symptom: look("client", ASK, /timed out/),
  why: {
    en: "Direct routing changes the frame's MAC address and nothing else: the packet that reaches node02 is still for the VIP. A host that does not have that address drops the packet without a word (or, when it forwards, sends it back to the wire). The director saw the SYN go by and keeps the connection in SYN_RECV; no answer ever comes.",
    zh: "DR 模式只修改帧的目的 MAC 地址，数据包到达 node02 时目的 IP 仍然是 VIP。没有这个地址的主机会悄悄丢弃它（如果开了转发，还会把它再发回网络）。调度器看到了 SYN，连接停在 SYN_RECV 状态，再也等不到后续的包。",
  },
  frames: look(
    "node02",
    `timeout 3 tcpdump -nne -c 1 -i eth0 dst host ${VIP} and port 80`,
    /96:0b > 02:00:c0:a8:96:0c.* > 192\.168\.150\.100\.80: Flags \[S\]/,
  ),
  framesSay: {
    en: "The SYN for the VIP reaches node02's card from the director's MAC address; nothing answers it.",
    zh: "发往 VIP 的 SYN 带着调度器的 MAC 地址到达了 node02 的网卡，但没有应答。",
  },
  doctor: { on: "node02", says: "vip-missing" },
  cure: [on("node02", HIDDEN_VIP)],
  gone: BOTH_ANSWER,
};
