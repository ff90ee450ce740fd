/** With direct routing the real server's default route leads to the director. */
import { BOTH_ANSWER, FAR_CLIENT, SITE, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const gatewayIsDirector: Mistake = {
  name: "gateway-is-director",
  laboratory: "dr",
  title: {
    en: "With direct routing, a real server's default gateway is the director",
    zh: "DR 模式下真实服务器的默认网关指向了调度器",
  },
  breaking: [
    on("node02", "route del default gw 192.168.150.1"),
    on("node02", "route add default gw 192.168.150.11"),
  ],
  complaint: {
    en: "From the office next to the servers all is well; from outside every second request hangs.",
    zh: "在服务器旁边的办公室访问正常，从外网访问则每两次请求就有一次卡住。",
  },
  symptom: look("client", `curl -sS -m 2 --interface ${FAR_CLIENT} ${SITE} ${SITE}`, /timed out/),
  why: {
    en: "node02's replies have the VIP as their source. Sent through the director they arrive at a host that has this address itself, and a packet from one's own address is a martian: the kernel drops it, even with rp_filter 0, and logs only when log_martians is on. With direct routing replies go past the director: the default gateway is the real router.",
    zh: "node02 的回复以 VIP 为源地址。如果经过调度器，到达的主机自己就拥有这个地址，来自“自己地址”的包是 martian 包：即使 rp_filter 为 0 内核也会丢弃，只有打开 log_martians 才会记录。DR 模式的回复必须绕过调度器：默认网关应当是真正的路由器。",
  },
  frames: look(
    "node01",
    `timeout 3 tcpdump -nne -c 1 -i eth0 src host ${VIP} and port 80`,
    /96:0c > 02:00:c0:a8:96:0b.*192\.168\.150\.100\.80 > 203\.0\.113\.1\.\d+: Flags \[S\.\]/,
  ),
  framesSay: {
    en: "node02's SYN-ACK, from the VIP, comes to the director, and goes no further.",
    zh: "node02 以 VIP 发出的 SYN-ACK 到了调度器，再也没有出去。",
  },
  doctor: { on: "node02", says: "gateway-is-director" },
  cure: [
    on("node02", "route del default gw 192.168.150.11"),
    on("node02", "route add default gw 192.168.150.1"),
  ],
  gone: BOTH_ANSWER,
};
