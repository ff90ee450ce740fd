/** Connections idle for longer than the director remembers them. */
import { VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const idleTimeout: Mistake = {
  name: "idle-timeout",
  laboratory: "dr",
  title: {
    en: "The director forgets idle connections sooner than the application needs them",
    zh: "调度器的空闲超时短于应用的空闲时间",
  },
  breaking: [on("node01", "ipvsadm --set 1 0 0")],
  complaint: {
    en: "Quick pages are fine; what thinks for a while is cut off.",
    zh: "很快的页面正常；需要思考一会儿的请求会被中断。",
  },
  symptom: look("client", `curl -sS -m 10 http://${VIP}/slow/3`, /reset by peer|Recv failure/i),
  why: {
    en: "The director forgets a connection that is idle for longer than its timeout (ipvsadm --set: here 1 second; 900 by default). With direct routing the server's next data still reaches the client, but the client's ACK finds no connection on the director, goes to its own stack, and that answers with RST. Keep the timeout above what applications and their keepalives leave idle.",
    zh: "连接空闲超过超时时间（ipvsadm --set，这里是 1 秒，默认 900 秒），调度器就会忘记它。DR 模式下服务器随后的数据仍能到达客户端，但客户端的 ACK 在调度器上找不到连接，落到调度器自己的协议栈，回复 RST。超时时间必须大于应用及其 keepalive 的空闲间隔。",
  },
  frames: look(
    "client",
    `timeout 8 tcpdump -nne -c 1 -i eth0 ether src 02:00:c0:a8:96:0b and src host ${VIP}`,
    /96:0b > .*192\.168\.150\.100\.80 > .*Flags \[R/,
  ),
  framesSay: {
    en: "The RST comes from the director (…:0b), which never was an end of the connection.",
    zh: "RST 来自调度器（…:0b），而它从来不是连接的一端。",
  },
  doctor: { on: "node01", says: "timeout-short" },
  cure: [on("node01", "ipvsadm --set 900 0 0")],
  gone: /done/,
};
