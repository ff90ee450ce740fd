/** Nobody listens on a real server: handbook, third step. */
import { ASK, BOTH_ANSWER, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const webServerDown: Mistake = {
  name: "web-server-down",
  laboratory: "dr",
  title: {
    en: "The web server does not run on a real server",
    zh: "真实服务器上的 httpd 没有启动",
  },
  breaking: [on("node02", "httpd -k stop")],
  complaint: { en: "Every second request is refused.", zh: "每两次请求就有一次被拒绝。" },
  symptom: look("client", ASK, /refused|Couldn't connect|Failed to connect/),
  why: {
    en: "IPVS by itself does not know whether anybody listens: it sends every server its turn. node02's own stack refuses the connection, straight to the client, in the VIP's name. Health checks are what takes such a server out.",
    zh: "IPVS 本身不知道有没有程序在监听，轮到谁就发给谁。node02 的协议栈以 VIP 的名义直接向客户端拒绝连接。要自动摘除这样的服务器，需要健康检查。",
  },
  frames: look(
    "node02",
    `timeout 3 tcpdump -nne -c 2 -i eth0 host ${VIP} and port 80`,
    /192\.168\.150\.100\.80 > 192\.168\.150\.1\.\d+: Flags \[R/,
  ),
  framesSay: {
    en: "node02 answers the SYN with RST, in the VIP's name.",
    zh: "node02 以 VIP 的名义对 SYN 回复 RST。",
  },
  doctor: { on: "node02", says: "no-listener" },
  cure: [on("node02", "httpd -k start")],
  gone: BOTH_ANSWER,
};
