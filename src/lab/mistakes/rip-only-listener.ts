/** The web server listens at the RIP alone. */
import { SITE, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const ripOnlyListener: Mistake = {
  name: "rip-only-listener",
  laboratory: "dr",
  title: { en: "The web server listens at the RIP only", zh: "httpd 只监听 RIP" },
  breaking: [on("node02", 'httpd -k restart -c "Listen 192.168.150.12:80"')],
  complaint: {
    en: "node02 answers when it is asked directly, and refuses every request by the site's address.",
    zh: "直接访问 node02 正常，但通过网站地址访问就被拒绝。",
  },
  symptom: look(
    "client",
    `curl -sS -m 2 http://192.168.150.12/ ${SITE} ${SITE}`,
    /^from 192\.168\.150\.12\n[\s\S]*(refused|Couldn't connect|Failed to connect)/,
  ),
  why: {
    en: "What direct routing delivers is addressed to the VIP, not to the RIP. A server bound to 192.168.150.12:80 does not hear it, and the stack refuses in the VIP's name. Listen on the VIP, or on all addresses. A check of the RIP from the director finds nothing wrong.",
    zh: "DR 模式送来的数据包目的地址是 VIP，而不是 RIP。绑定在 192.168.150.12:80 的程序听不到它，协议栈便以 VIP 的名义拒绝。应当监听 VIP 或所有地址。在调度器上检查 RIP 是发现不了问题的。",
  },
  frames: look(
    "node02",
    `timeout 3 tcpdump -nne -c 2 -i eth0 host ${VIP} and port 80`,
    /192\.168\.150\.100\.80 > 192\.168\.150\.1\.\d+: Flags \[R/,
  ),
  framesSay: {
    en: "node02 answers the SYN for the VIP with RST.",
    zh: "node02 对发往 VIP 的 SYN 回复 RST。",
  },
  doctor: { on: "node02", says: "not-at-vip" },
  cure: [on("node02", "httpd -k restart")],
  gone: /^from 192\.168\.150\.12\n(?=[\s\S]*from 192\.168\.150\.12)(?=[\s\S]*from 192\.168\.150\.13)/,
};
