/** The laboratory's words, in the reader's language, and which colour is whose. */
import { explainReason } from "../../../src/engine/reason-words.ts";
import type { DropReason, TableName } from "../../../src/simnet/event.ts";
import { language } from "../frame/preferences.ts";
import { sayReason as sayReasonInReadersLanguage } from "../frame/reasons.ts";

// biome-ignore format: a table
const WORDS = {
  network:     ["The network", "网络"],
  client:      ["client", "客户端"],
  director:    ["director", "调度器"],
  realServer:  ["real server", "真实服务器"],
  switch:      ["switch", "交换机"],
  lan:         ["inside", "内网"],
  outside:     ["outside", "外网"],
  lessons:     ["Lessons", "课程"],
  handbook:    ["The handbook", "实验手册"],
  mistakes:    ["Classic mistakes", "经典错误"],
  freely:      ["Play freely", "自由实验"],
  play:        ["Play", "播放"],
  pause:       ["Pause", "暂停"],
  back:        ["A step back", "后退一步"],
  on:          ["A step on", "前进一步"],
  toStart:     ["To the last command", "回到最近的命令"],
  toEnd:       ["To the end", "到最后"],
  speed:       ["Speed", "速度"],
  moment:      ["Moment", "时刻"],
  steps:       ["What happened", "发生了什么"],
  noSteps:     ["Nothing yet: type a command, or let the lesson type it.", "还没有任何事：输入一条命令，或让课程代为输入。"],
  headers:     ["Headers", "报文头"],
  noFrame:     ["Choose a step with a frame to see its headers.", "选择带有数据帧的步骤即可查看报文头。"],
  changed:     ["changed on the way", "途中改变"],
  hosts:       ["Hosts", "主机"],
  terminal:    ["Terminal", "终端"],
  typeHere:    ["A command; help lists them", "输入命令；help 列出全部"],
  tables:      ["Tables", "表"],
  addresses:   ["Addresses", "地址"],
  neighbours:  ["ARP cache", "ARP 缓存"],
  routes:      ["Routes", "路由"],
  settings:    ["Settings", "内核参数"],
  sockets:     ["Sockets", "套接字"],
  services:    ["IPVS services", "IPVS 服务"],
  connections: ["IPVS connections", "IPVS 连接"],
  none:        ["none", "无"],
  asItWas:     ["as a fresh host has them", "与新主机相同"],
  begin:       ["Begin anew", "重新开始"],
  copyLink:    ["Copy a link to this", "复制当前状态的链接"],
  copied:      ["Copied", "已复制"],
  typeIt:      ["Type it", "代为输入"],
  next:        ["Next lesson", "下一课"],
  done:        ["Done", "完成"],
  notYet:      ["Not what is expected: look at the output.", "结果与预期不同：看看输出。"],
  why:         ["Why", "为什么"],
} as const satisfies Record<string, readonly [string, string]>;

export type Word = keyof typeof WORDS;

export function say(word: Word): string {
  return WORDS[word][language.value === "zh" ? 1 : 0];
}

// biome-ignore format: a table
const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  "not-for-this-card":     ["the frame is for another card", "这一帧是发给别的网卡的"],
  "interface-down":        ["the interface is down", "接口没有启用"],
  "malformed":             ["no whole packet", "报文不完整"],
  "bad-checksum":          ["its checksum is wrong", "校验和错误"],
  "martian-source":        ["its source cannot come from there: it is this host's own", "源地址不可能来自那里：那是本机自己的地址"],
  "martian-destination":   ["nobody can have this destination", "目的地址无效"],
  "reverse-path":          ["rp_filter: the way back to its source is by another interface", "rp_filter：回到源地址的路在另一个接口上"],
  "arp-ignored":           ["arp_ignore says that this question is not answered here", "arp_ignore：这里不应答这个 ARP 请求"],
  "arp-not-ours":          ["the address asked for is none of this host's", "被询问的地址不是本机的"],
  "not-forwarding":        ["for an address that this host does not have, and it forwards nothing (ip_forward)", "目的地址不是本机的，而本机不转发 (ip_forward)"],
  "firewall":              ["a rule of the packet filter drops it", "被防火墙规则丢弃"],
  "no-route":              ["there is no route to its destination", "没有到目的地址的路由"],
  "time-exceeded":         ["its time to live is over", "TTL 用完"],
  "packet-too-big":        ["larger than the next link takes, and it must not be cut", "超过下一跳的 MTU，且不允许分片"],
  "neighbour-unreachable": ["nobody answers ARP for the next hop", "下一跳没有 ARP 应答"],
  "neighbour-queue-full":  ["too many wait for the next hop's answer", "等待下一跳应答的报文太多"],
  "no-listener":           ["nobody listens there", "没有程序在监听"],
  "same-port":             ["the switch would send it back where it came from", "交换机不会把它发回来的端口"],
  "unsupported":           ["nothing here speaks this protocol", "不支持的协议"],
};

export function sayReason(reason: DropReason): string {
  const own = REASONS[reason];
  if (own !== undefined) return own[language.value === "zh" ? 1 : 0];
  return sayReasonInReadersLanguage(reason) ?? explainReason(reason);
}

const TABLES: Readonly<Record<TableName, Word>> = {
  addresses: "addresses",
  routes: "routes",
  neighbours: "neighbours",
  settings: "settings",
  sockets: "sockets",
  services: "services",
  connections: "connections",
  switch: "switch",
};

export function sayTable(table: TableName): string {
  return say(TABLES[table]);
}

export function toneOf(host: string): "client" | "director" | "server" {
  if (host === "client") return "client";
  return host === "node01" ? "director" : "server";
}
