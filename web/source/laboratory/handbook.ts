/** The handbook's laboratory, typed by hand: from hosts that have nothing to "why does node02 not answer?". */
import type { Lesson, LessonLine } from "./lesson.ts";

const VIP = "192.168.150.100";
const HIDE =
  "sysctl -w net.ipv4.conf.eth0.arp_ignore=1 net.ipv4.conf.eth0.arp_announce=2 net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2";

function at(host: string, line: string, shows?: RegExp): LessonLine {
  return shows === undefined ? { host, line } : { host, line, shows };
}

const ask = (shows: RegExp): LessonLine => at("client", `curl -sS -m 2 http://${VIP}/`, shows);

export const HANDBOOK: readonly Lesson[] = [
  {
    name: "wire",
    title: { en: "Four hosts on one wire", zh: "一根网线上的四台主机" },
    scenario: "dr",
    isBuilt: false,
    steps: [
      {
        title: { en: "Who is there", zh: "有哪些主机" },
        says: {
          en: "A client, a director (node01) and two real servers (node02, node03) are plugged into one switch. Each real server runs a web server. Ask node02's directly. Then press Play and watch the frames go, or step through them with → and ←.",
          zh: "客户端、调度器（node01）和两台真实服务器（node02、node03）接在同一台交换机上，每台真实服务器上都运行着 Web 服务器。先直接访问 node02。然后按“播放”观看数据帧，或用 → 和 ← 逐步查看。",
        },
        lines: [at("client", "curl -sS http://192.168.150.12/", /from 192\.168\.150\.12/)],
        conclusion: {
          en: "Before the first packet the client had to ask: who has 192.168.150.12? That question (ARP) goes to everybody; the one who has the address answers with his MAC address. Everything about LVS's direct routing turns on who answers such questions.",
          zh: "发出第一个数据包之前，客户端必须先问：谁有 192.168.150.12？这个问题（ARP）会发给所有主机，拥有该地址的主机用自己的 MAC 地址应答。LVS 的 DR 模式，关键就在于由谁来应答这种问题。",
        },
      },
      {
        title: { en: "What the client has learnt", zh: "客户端学到了什么" },
        says: {
          en: "The answer is kept in the client's ARP cache; see it in the terminal, or in the tables below it.",
          zh: "应答保存在客户端的 ARP 缓存里；在终端中查看，或看下方的表。",
        },
        lines: [at("client", "ip neigh", /192\.168\.150\.12 dev eth0 lladdr 02:00:c0:a8:96:0c/)],
      },
    ],
  },
  {
    name: "direct-routing",
    title: { en: "Direct routing, by hand", zh: "动手搭建 DR 模型" },
    scenario: "dr",
    isBuilt: false,
    steps: [
      {
        title: { en: "1. The VIP on node01", zh: "第一步：node01 上的 VIP" },
        says: {
          en: "Clients know one address, the virtual IP (VIP) 192.168.150.100. The director gets it as a second address of its card: eth0:2.",
          zh: "客户端只知道一个地址：虚拟 IP（VIP）192.168.150.100。调度器把它作为网卡的子接口 eth0:2。",
        },
        lines: [at("node01", `ifconfig eth0:2 ${VIP}/24`)],
      },
      {
        title: { en: "2. node02 and node03 keep quiet", zh: "第二步：node02 和 node03 保持沉默" },
        says: {
          en: "With direct routing a packet reaches the real server as it was: still for the VIP. So the real servers need the VIP, too, but must never answer ARP for it. First the kernel's settings, and only then the address: arp_ignore 1 answers only for addresses of the card that was asked on, arp_announce 2 never names the VIP as one's own in a question.",
          zh: "在 DR 模式下，数据包到达真实服务器时目的地址仍是 VIP。所以真实服务器也要有 VIP，但绝不能应答 VIP 的 ARP。要先改内核参数，再配置地址：arp_ignore 为 1 时只应答收到请求的网卡上的地址，arp_announce 为 2 时不会在请求中把 VIP 说成自己的地址。",
        },
        lines: [at("node02", HIDE), at("node03", HIDE)],
      },
      {
        title: { en: "The hidden VIP", zh: "隐藏的 VIP" },
        says: {
          en: "On lo, which no cable leads to, with four 255: with a shorter mask the whole network would seem to be on lo, and no answer would ever leave.",
          zh: "配置在 lo 上（它不连网线），掩码是四个 255：掩码短了，整个网段就好像都在 lo 上，应答永远发不出去。",
        },
        lines: [
          at("node02", `ifconfig lo:2 ${VIP} netmask 255.255.255.255`),
          at("node03", `ifconfig lo:2 ${VIP} netmask 255.255.255.255`),
        ],
      },
      {
        title: { en: "Who answers for the VIP?", zh: "谁应答 VIP？" },
        says: {
          en: "Ask the wire itself. Exactly one host may answer: node01 (…:0b).",
          zh: "直接问网络。只能有一台主机应答：node01（…:0b）。",
        },
        lines: [
          at(
            "client",
            `arping -b -c 2 -I eth0 ${VIP}`,
            /^(?=[\s\S]*96:0b\])(?![\s\S]*96:0[cd]\])/i,
          ),
        ],
      },
      {
        title: { en: "3. The service", zh: "第三步：定义服务" },
        says: {
          en: "-A adds a virtual service, -s rr lets the servers take turns; -a adds a real server, -g is direct routing.",
          zh: "-A 添加虚拟服务，-s rr 表示轮询；-a 添加真实服务器，-g 表示 DR（直接路由）。",
        },
        lines: [
          at("node01", `ipvsadm -A -t ${VIP}:80 -s rr`),
          at("node01", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.12 -g -w 1`),
          at("node01", `ipvsadm -a -t ${VIP}:80 -r 192.168.150.13 -g -w 1`),
          at(
            "node01",
            "ipvsadm -ln",
            /192\.168\.150\.12:80 +Route[\s\S]*192\.168\.150\.13:80 +Route/,
          ),
        ],
      },
      {
        title: { en: "4. Ask", zh: "第四步：访问" },
        says: {
          en: "Ask twice, and watch one SYN all the way. At node01 look at the headers: which of them changes?",
          zh: "访问两次，并从头到尾观察一个 SYN。在 node01 看看报文头：哪些字段变了？",
        },
        lines: [ask(/from 192\.168\.150\.1[23]/), ask(/from 192\.168\.150\.1[23]/)],
        conclusion: {
          en: "The MAC addresses, and the time to live, which every hop counts down: the director writes the server's in the frame and puts it on the wire again. The server finds the VIP on its lo, and answers the client straight, past the director. That is why one director can serve ten times what its own card can carry.",
          zh: "变的是 MAC 地址，以及每一跳都减一的 TTL：调度器把目的 MAC 改成服务器的，再放回网线上。服务器在自己的 lo 上找到 VIP，绕过调度器直接应答客户端。因此一台调度器能承担的流量远远超过它自己网卡的带宽。",
        },
      },
      {
        title: { en: "What the director knows", zh: "调度器知道什么" },
        says: {
          en: "It shook nobody's hand: ss on node01 shows no connection, on a real server it does. But it saw the client's half of each one go by.",
          zh: "它没有和任何人握手：node01 的 ss 看不到连接，真实服务器上才有。但它“偷窥”到了每个连接中客户端这一半。",
        },
        lines: [at("node01", "ipvsadm -lnc", /192\.168\.150\.1:\d+ +192\.168\.150\.100:80/)],
      },
    ],
  },
  {
    name: "why",
    title: { en: "Why does node02 not answer?", zh: "node02 为什么不应答？" },
    scenario: "dr",
    isBuilt: true,
    steps: [
      {
        title: { en: "It works", zh: "一切正常" },
        says: {
          en: "The laboratory stands as the last lesson left it. Both servers take turns. (The client's second address, on its lo, is for lessons in which it asks from another network.)",
          zh: "实验室保持上一课结束时的样子，两台服务器轮流应答。（客户端 lo 上的第二个地址，用于后面从另一个网络访问的课程。）",
        },
        lines: [ask(/from/), ask(/from/)],
      },
      {
        title: { en: "Somebody takes the VIP from node02", zh: "有人把 node02 的 VIP 关掉了" },
        lines: [at("node02", "ifconfig lo:2 down")],
      },
      {
        title: { en: "Every second request hangs", zh: "每两次请求就有一次卡住" },
        says: {
          en: "Ask twice: one of the two gets no answer.",
          zh: "访问两次：其中一次得不到应答。",
        },
        lines: [at("client", `curl -sS -m 2 http://${VIP}/ http://${VIP}/`, /timed out/)],
      },
      {
        title: { en: "Find where the packet ends", zh: "找出数据包消失的地方" },
        says: {
          en: "Step through the frames of the request that hangs. Where does the SYN end, and what does the host say? And what does the director believe?",
          zh: "逐步查看卡住的那个请求的数据帧。SYN 在哪里消失？那台主机给出的原因是什么？调度器又怎么认为？",
        },
        lines: [at("node01", "ipvsadm -lnc", /SYN_RECV/)],
        conclusion: {
          en: "The SYN reaches node02's card, for its MAC address is right. Its destination is still the VIP, which node02 does not have any more: the host drops it without a word. The director has seen a SYN and no more: SYN_RECV. So: VIP missing on the real server.",
          zh: "SYN 到达了 node02 的网卡，因为 MAC 地址是对的。但目的 IP 仍是 VIP，而 node02 已经没有这个地址，主机便悄悄丢弃了它。调度器只看到 SYN，于是状态停在 SYN_RECV。结论：真实服务器上缺少 VIP。",
        },
      },
      {
        title: { en: "Mend it", zh: "修复" },
        lines: [
          at("node02", `ifconfig lo:2 ${VIP} netmask 255.255.255.255`),
          at(
            "client",
            `curl -sS -m 2 http://${VIP}/ http://${VIP}/`,
            /^(?=[\s\S]*from 192\.168\.150\.12)(?=[\s\S]*from 192\.168\.150\.13)/,
          ),
        ],
        conclusion: {
          en: "You have built the laboratory, broken it and found out why. The classic mistakes below are more of the same, and less obvious.",
          zh: "你已经搭建了实验室，弄坏它，并找出了原因。下面的经典错误也是如此，只是更隐蔽。",
        },
      },
    ],
  },
];
