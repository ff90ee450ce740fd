/** Every server has weight 0. */
import { SITE, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const weight0: Mistake = {
  name: "weight-0",
  laboratory: "dr",
  title: { en: "Every real server has weight 0", zh: "所有真实服务器的权重都是 0" },
  breaking: [
    on("node01", `ipvsadm -e -t ${VIP}:80 -r 192.168.150.12 -g -w 0`),
    on("node01", `ipvsadm -e -t ${VIP}:80 -r 192.168.150.13 -g -w 0`),
  ],
  complaint: {
    en: "All servers run, and every new request is refused.",
    zh: "所有服务器都在运行，但每个新请求都被拒绝。",
  },
  symptom: look("client", `curl -sS -m 2 ${SITE}`, /refused|Couldn't connect|Failed to connect/),
  why: {
    en: 'Weight 0 means "no new connections", which is how servers are drained. With no other server left the scheduler finds nobody, and the director answers that the port is unreachable. Connections from before go on.',
    zh: "权重 0 表示“不再接受新连接”，用于把服务器平滑下线。当所有服务器都是 0 时，调度算法找不到任何服务器，调度器回复“端口不可达”。之前已建立的连接不受影响。",
  },
  frames: look(
    "client",
    "timeout 3 tcpdump -nne -c 1 -i eth0 icmp",
    /96:0b > .*ICMP 192\.168\.150\.100 tcp port 80 unreachable/,
  ),
  framesSay: {
    en: "The director itself answers: port 80 unreachable.",
    zh: "调度器自己回复：80 端口不可达。",
  },
  doctor: { on: "node01", says: "all-weights-0" },
  cure: [
    on("node01", `ipvsadm -e -t ${VIP}:80 -r 192.168.150.12 -g -w 1`),
    on("node01", `ipvsadm -e -t ${VIP}:80 -r 192.168.150.13 -g -w 1`),
  ],
  gone: /^from 192\.168\.150\.1[23]/,
};
