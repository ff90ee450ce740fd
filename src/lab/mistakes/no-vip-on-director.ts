/** The director has no VIP: handbook, first step. */
import { VIP } from "./healthy.ts";
import { look, type Mistake, on } from "./mistake.ts";

export const noVipOnDirector: Mistake = {
  name: "no-vip-on-director",
  laboratory: "dr",
  title: { en: "The director has no VIP", zh: "调度器上没有 VIP" },
  breaking: [on("node01", "ifconfig eth0:2 down"), on("client", "ip neigh flush dev eth0")],
  complaint: {
    en: "Nobody reaches the site: not even its address answers.",
    zh: "网站完全打不开，连地址都没有回应。",
  },
  symptom: look("client", `arping -c 1 -w 1 -I eth0 ${VIP}`, /Received 0 response/),
  why: {
    en: "A service at an address that the director itself does not have gets no packets. Nobody answers ARP for the VIP, because the real servers hide theirs on purpose and the director was the one to speak. IPVS stands at the input hook, behind the host's own question whether a packet is for it: without the address (or a local route to it) nothing comes that far, and ipvsadm accepts the service all the same.",
    zh: "服务建立在调度器自己并不拥有的地址上，就收不到任何数据包。真实服务器故意隐藏了 VIP，本应由调度器来应答 ARP，现在没有人应答。IPVS 位于 INPUT 钩子：内核先判断数据包是不是发给本机的，没有这个地址（或本地路由），包根本到不了 IPVS；而 ipvsadm 照样接受这条服务规则。",
  },
  frames: look(
    "client",
    "timeout 3 tcpdump -nne -c 1 -i eth0 arp",
    /who-has 192\.168\.150\.100 .*tell 192\.168\.150\.1\b/,
  ),
  framesSay: {
    en: "The client asks who has the VIP, and no answer follows.",
    zh: "客户端询问谁拥有 VIP，没有任何应答。",
  },
  doctor: { on: "node01", says: "vip-not-local" },
  cure: [on("node01", `ifconfig eth0:2 ${VIP}/24`)],
  gone: /Received 1 response/,
};
