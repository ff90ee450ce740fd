/** A firewall mark's service whose address is no local one. */
import { SITE, VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const fwmarkNotLocal: Mistake = {
  name: "fwmark-not-local",
  laboratory: "dr",
  title: {
    en: "A service by firewall mark, and its address is not the director's",
    zh: "防火墙标记服务，而目的地址不是调度器的",
  },
  breaking: [
    on("node01", "ipvsadm -C"),
    on("node01", "ipvsadm -A -f 1 -s rr"),
    on("node01", "ipvsadm -a -f 1 -r 192.168.150.12 -g -w 1"),
    on("node01", "ipvsadm -a -f 1 -r 192.168.150.13 -g -w 1"),
    on(
      "node01",
      `iptables -t mangle -A PREROUTING -p tcp -d ${VIP} --dport 80 -j MARK --set-mark 1`,
    ),
    on("node01", "ifconfig eth0:2 down"),
    on("client", `ip route add ${VIP} via 192.168.150.11`),
  ],
  complaint: {
    en: "The router sends the site's packets to the director, they are marked there, and nobody is answered.",
    zh: "路由器把网站的数据包送到了调度器，也打上了标记，但没有任何应答。",
  },
  symptom: look("client", `curl -sS -m 2 ${SITE}`, /timed out|No route to host|unreachable/),
  why: {
    en: 'A mark chooses the service, but IPVS still stands at the input hook: a packet comes there only when routing says that it is for this host. For an address that the director does not have routing says "forward", and the packet is past IPVS. A rule has to send marked packets to a table in which everything is local.',
    zh: "标记用来选择服务，但 IPVS 仍然位于 INPUT 钩子：只有路由判断为“发给本机”的包才会到达那里。目的地址不是调度器的，路由就会“转发”，绕过了 IPVS。需要一条策略路由，让带标记的包查一张“全部都是本地”的路由表。",
  },
  frames: look(
    "node01",
    `timeout 3 tcpdump -nne -c 1 -i eth0 dst host ${VIP} and port 80`,
    /96:01 > 02:00:c0:a8:96:0b.*Flags \[S\]/,
  ),
  framesSay: {
    en: "The SYN reaches the director; nothing goes on to a server.",
    zh: "SYN 到达调度器，但没有继续发往服务器。",
  },
  doctor: { on: "node01", says: "mark-not-local" },
  cure: [
    on("node01", "ip rule add fwmark 1 lookup 100"),
    on("node01", "ip route add local 0.0.0.0/0 dev lo table 100"),
  ],
  gone: /^from 192\.168\.150\.1[23]/,
  restoring: [
    on("client", `ip route del ${VIP} via 192.168.150.11`),
    on("node01", "ip route del local 0.0.0.0/0 dev lo table 100"),
    on("node01", "ip rule del fwmark 1 lookup 100"),
    on(
      "node01",
      `iptables -t mangle -D PREROUTING -p tcp -d ${VIP} --dport 80 -j MARK --set-mark 1`,
    ),
    on("node01", `ifconfig eth0:2 ${VIP}/24`),
    on("node01", "ipvsadm -C"),
    on("node01", `ipvsadm -A -t ${VIP}:80 -s rr`),
    on("node01", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.12 -g -w 1`),
    on("node01", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.13 -g -w 1`),
  ],
};
