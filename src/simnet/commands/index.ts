/** What can be typed on a simulated host. Each is loaded when it is typed first. */
import { later, type Program, type Programs } from "../shell/program.ts";

type Text = typeof import("./text.ts");

const text = (name: keyof Text): Program => later(async () => (await import("./text.ts"))[name]);
const sockets = (name: "netstat" | "ss"): Program =>
  later(async () => (await import("./sockets.ts"))[name]);

export const PROGRAMS: Programs = {
  arp: later(async () => (await import("./arp.ts")).arp),
  arping: later(async () => (await import("./arping.ts")).arping),
  cat: text("cat"),
  curl: later(async () => (await import("./curl.ts")).curl),
  echo: text("echo"),
  false: text("fail"),
  grep: text("grep"),
  head: text("head"),
  hostname: text("hostname"),
  ifconfig: later(async () => (await import("./ifconfig.ts")).ifconfig),
  ip: later(async () => (await import("./ip/index.ts")).ip),
  iptables: later(async () => (await import("./iptables.ts")).iptables),
  ls: text("ls"),
  netstat: sockets("netstat"),
  nft: later(async () => (await import("./nft.ts")).nft),
  ping: later(async () => (await import("./ping.ts")).ping),
  printf: text("printf"),
  rm: text("rm"),
  route: later(async () => (await import("./route.ts")).route),
  seq: text("seq"),
  sha256sum: text("sha256sum"),
  sleep: text("sleep"),
  sort: text("sort"),
  ss: sockets("ss"),
  sysctl: later(async () => (await import("./sysctl.ts")).sysctl),
  tail: text("tail"),
  tcpdump: later(async () => (await import("./capture/tcpdump.ts")).tcpdump),
  timeout: text("timeout"),
  true: text("succeed"),
  uniq: text("uniq"),
  wc: text("wc"),
};
