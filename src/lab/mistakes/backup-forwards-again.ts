/** A real server that is a director, too, forwards again. */
import { ASK, BOTH_ANSWER, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const backupForwardsAgain: Mistake = {
  name: "backup-forwards-again",
  laboratory: "dr",
  title: {
    en: "A real server is a director too, and forwards again",
    zh: "真实服务器同时也是备用调度器，又转发了一次",
  },
  breaking: [
    on("node02", `ipvsadm -A -t ${VIP}:80 -s rr`),
    on("node02", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.11 -g -w 1`),
  ],
  complaint: {
    en: "Since node02 is the standby director as well, requests hang and the network is flooded with one and the same SYN.",
    zh: "node02 兼任备用调度器之后，请求卡住，网络上充满同一个 SYN。",
  },
  symptom: look("client", ASK, /timed out|No route to host|Couldn't connect|Failed to connect/),
  why: {
    en: "node02 has the VIP and a service for it: what node01 sends it, it balances again instead of answering, here back to node01, which has a connection for it and sends it to node02. The packet goes to and fro until its time to live is over. A standby director must not balance what comes from the active one: no IPVS rules until it takes over, backup_only, or a firewall mark by MAC address.",
    zh: "node02 既有 VIP 又有同样的服务：node01 发来的包，它不应答而是再次调度，这里又送回 node01，而 node01 已有这个连接，再送给 node02。数据包来回往返，直到 TTL 耗尽。备用调度器不能对主调度器发来的包再做调度：接管之前不要有 IPVS 规则，或使用 backup_only，或按 MAC 打防火墙标记。",
  },
  frames: look(
    "node02",
    `timeout 3 tcpdump -nne -c 6 -i eth0 dst host ${VIP} and port 80`,
    /96:0c > 02:00:c0:a8:96:0b.*Flags \[S\]/,
  ),
  framesSay: {
    en: "The same SYN goes from node01 to node02 and back, again and again.",
    zh: "同一个 SYN 在 node01 与 node02 之间来回往返。",
  },
  doctor: { on: "node02", says: "forwards-again" },
  cure: [on("node02", "ipvsadm -C")],
  gone: BOTH_ANSWER,
};
