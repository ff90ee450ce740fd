/** Persistence, tested from one client. */
import { BOTH_ANSWER, SITE, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const persistence: Mistake = {
  name: "persistence",
  laboratory: "dr",
  title: {
    en: "Persistence is on, and the test has one client",
    zh: "开启了持久连接，却只用一个客户端测试",
  },
  breaking: [on("node01", `ipvsadm -E -t ${VIP}:80 -s rr -p 300`)],
  complaint: {
    en: "It does not balance: with rr, every request goes to the same server.",
    zh: "没有负载均衡：调度算法是 rr，但所有请求都到同一台服务器。",
  },
  symptom: look("client", `curl -sS -m 2 ${SITE} ${SITE} ${SITE} ${SITE}`, /^(from \S+\n)\1\1\1/),
  why: {
    en: "A persistent service chooses once for each client and keeps that choice for its time (-p 300), whatever the scheduler: that is what it is for. From one client, or from many behind one NAT, everything goes to one server. 'ipvsadm -lnc' shows the template (port 0) that remembers. Test from several addresses, or without -p.",
    zh: "持久服务对每个客户端只选择一次，并在设定时间内（-p 300）保持不变，与调度算法无关，这正是它的用途。从一个客户端（或同一个 NAT 后面的许多客户端）测试，全部请求都到同一台服务器。用 ipvsadm -lnc 可以看到记录这个选择的模板（端口 0）。请从多个地址测试，或去掉 -p。",
  },
  frames: look(
    "client",
    `timeout 3 tcpdump -nne -c 24 -i eth0 src host ${VIP} and port 80`,
    /96:0[cd] > /,
  ),
  framesSay: {
    en: "Every answer comes from one and the same MAC address.",
    zh: "所有回复都来自同一个 MAC 地址。",
  },
  doctor: { on: "node01", says: "one-client" },
  cure: [on("node01", `ipvsadm -E -t ${VIP}:80 -s rr`)],
  gone: BOTH_ANSWER,
};
