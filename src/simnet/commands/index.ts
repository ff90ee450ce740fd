/** What can be typed on a simulated host. */
import type { Programs } from "../shell/program.ts";
import { arp } from "./arp.ts";
import { arping } from "./arping.ts";
import { tcpdump } from "./capture/tcpdump.ts";
import { curl } from "./curl.ts";
import { ifconfig } from "./ifconfig.ts";
import { ip } from "./ip/index.ts";
import { iptables } from "./iptables.ts";
import { nft } from "./nft.ts";
import { ping } from "./ping.ts";
import { route } from "./route.ts";
import { netstat, ss } from "./sockets.ts";
import { sysctl } from "./sysctl.ts";
import * as text from "./text.ts";

export const PROGRAMS: Programs = {
  arp,
  arping,
  cat: text.cat,
  curl,
  echo: text.echo,
  false: text.fail,
  grep: text.grep,
  head: text.head,
  hostname: text.hostname,
  ifconfig,
  ip,
  iptables,
  ls: text.ls,
  netstat,
  nft,
  ping,
  printf: text.printf,
  rm: text.rm,
  route,
  seq: text.seq,
  sha256sum: text.sha256sum,
  sleep: text.sleep,
  sort: text.sort,
  ss,
  sysctl,
  tail: text.tail,
  tcpdump,
  timeout: text.timeout,
  true: text.succeed,
  uniq: text.uniq,
  wc: text.wc,
};
