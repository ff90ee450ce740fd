/** Another port on the server with direct routing. */
import { ASK, BOTH_ANSWER, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const otherPort: Mistake = {
  name: "other-port",
  laboratory: "dr",
  title: {
    en: "Another port on the real server with direct routing",
    zh: "DR 模式下真实服务器用了不同的端口",
  },
  breaking: [
    on("node02", 'httpd -k restart -c "Listen 8080"'),
    on("node01", `ipvsadm -d -t ${VIP}:80 -r 192.168.150.12`),
    on("node01", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.12:8080 -g -w 1`),
  ],
  complaint: {
    en: "The web server on node02 was moved to port 8080 and the director told so; every second request is refused.",
    zh: "把 node02 上的 httpd 移到 8080 端口，也告诉了调度器，但每两次请求就有一次被拒绝。",
  },
  symptom: look("client", ASK, /refused|Couldn't connect|Failed to connect/),
  why: {
    en: "Direct routing and tunnels leave the packet as it is, and so its port: only masquerading rewrites one. ipvsadm takes the 8080 without a word and puts the service's port in its place, as 'ipvsadm -ln' shows. The SYN arrives for port 80, where nobody listens any more.",
    zh: "DR 和隧道模式不修改数据包，也就不能改端口，只有 NAT 模式才会改写。ipvsadm 默默接受了 8080，实际换成服务的端口，用 ipvsadm -ln 可以看到。到达的 SYN 目的端口是 80，而那里已经没有程序监听。",
  },
  frames: look(
    "node02",
    `timeout 3 tcpdump -nne -c 2 -i eth0 host ${VIP} and tcp`,
    /192\.168\.150\.100\.80 > 192\.168\.150\.1\.\d+: Flags \[R/,
  ),
  framesSay: {
    en: "The SYN comes to port 80 of node02, not to 8080, and is refused.",
    zh: "SYN 到达 node02 的 80 端口而不是 8080，被拒绝。",
  },
  doctor: { on: "node02", says: "no-listener" },
  cure: [on("node02", "httpd -k restart")],
  gone: BOTH_ANSWER,
};
