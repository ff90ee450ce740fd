/** The director asks its own service. */
import { ASK, BOTH_ANSWER, SITE, VIP } from "./healthy.ts";
import { look, type Mistake } from "./mistake.ts";

export const testFromDirector: Mistake = {
  name: "test-from-director",
  laboratory: "dr",
  title: { en: "The service is tested from the director itself", zh: "在调度器本机上测试服务" },
  breaking: [],
  complaint: {
    en: "On the director, where it is tested, the site hangs.",
    zh: "在调度器上测试网站，卡住不动。",
  },
  symptom: look(
    "node01",
    `curl -sS -m 2 ${SITE}`,
    /timed out|refused|Couldn't connect|Failed to connect/,
  ),
  why: {
    en: "The director asks with an address of its own, and the real server answers from the VIP, which is the director's own address, too. A packet from one's own address is a martian: the director's stack drops it. (Asked from the VIP itself, the answer would not even leave the real server.) What is tested there is not what clients get: test from another host, best from another network.",
    zh: "调度器用自己的地址发出请求，真实服务器以 VIP 回复，而 VIP 也是调度器自己的地址。来自“自己地址”的包是 martian 包，调度器的协议栈会丢弃它。（如果请求的源地址就是 VIP，回复甚至不会离开真实服务器。）这样测试到的不是客户端的情况：请在另一台主机上测试，最好在另一个网段。",
  },
  frames: look(
    "node01",
    `timeout 3 tcpdump -nne -c 1 -i eth0 host ${VIP} and port 80`,
    /192\.168\.150\.(11|100)\.\d+ > 192\.168\.150\.100\.80: Flags \[S\]/,
  ),
  framesSay: {
    en: "The director's own request leaves for a real server, for the VIP, which is the director's own address.",
    zh: "调度器自己的请求发往真实服务器，目的地址 VIP 却是调度器自己的地址。",
  },
  doctor: { on: "node01", says: "local-client" },
  cure: [],
  gone: look("client", ASK, BOTH_ANSWER),
};
