/** What can be typed on a simulated host. */
import type { Programs } from "../shell/program.ts";
import { ip } from "./ip/index.ts";
import { ping } from "./ping.ts";
import * as text from "./text.ts";

export const PROGRAMS: Programs = {
  cat: text.cat,
  echo: text.echo,
  false: text.fail,
  grep: text.grep,
  head: text.head,
  hostname: text.hostname,
  ip,
  ls: text.ls,
  ping,
  printf: text.printf,
  rm: text.rm,
  seq: text.seq,
  sleep: text.sleep,
  sort: text.sort,
  tail: text.tail,
  timeout: text.timeout,
  true: text.succeed,
  uniq: text.uniq,
  wc: text.wc,
};
