/** The kernel's own IPVS as a side of host cases: guests in which the agent carries them out. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { boot } from "../machines/boot.ts";
import type { Machine } from "../machines/machine.ts";
import type { HostCase } from "./host-case.ts";
import { type HostReport, readReport } from "./host-report.ts";
import { programmeOf } from "./programme.ts";

export const AGENT_FOLDER = join(import.meta.dirname, "agent");

// biome-ignore format: a list
const MODULES = [
  "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "tun", "veth", "bridge", "br_netfilter", "macvlan",
  "iptable_filter", "iptable_mangle", "iptable_raw", "iptable_nat", "ip6table_filter", "ip6table_mangle", "ip6table_raw",
  "ip6table_nat", "ipt_REJECT", "ip6t_REJECT", "xt_tcpudp", "xt_mark", "xt_connmark", "xt_conntrack", "xt_mac",
  "xt_limit", "xt_length", "xt_multiport", "xt_comment", "xt_state", "xt_nat", "xt_REDIRECT", "xt_MASQUERADE",
  "xt_addrtype", "xt_pkttype", "xt_hl", "xt_HL", "xt_CT", "xt_physdev", "ipt_rpfilter", "ip6t_rpfilter", "xt_hashlimit",
  "xt_statistic", "xt_iprange", "xt_u32", "xt_recent", "xt_socket", "xt_TCPMSS", "xt_DSCP", "xt_ipvs",
].toReversed();

const SETTINGS = {
  parallel: 8,
  quietMs: 30,
  director: [],
  tools: { "vs-sysctl": '#!/bin/sh\nexec sysctl "$@"\n' },
} as const;

export interface HostSideOptions {
  readonly timeoutMs: number;
}

/** As many as there are processors on a small machine. */
const GUESTS = 2;

/** In several guests at once. */
export async function performInKernel(
  machine: Machine,
  cases: ReadonlyMap<number, HostCase>,
  options: HostSideOptions,
): Promise<Map<number, HostReport>> {
  const shares = Array.from(
    { length: GUESTS },
    (_, guest) => new Map([...cases].filter((_each, index) => index % GUESTS === guest)),
  );
  const reports = await Promise.all(
    shares.filter(({ size }) => size > 0).map((share) => performInGuest(machine, share, options)),
  );
  return new Map(reports.flatMap((each) => [...each]));
}

async function performInGuest(
  machine: Machine,
  cases: ReadonlyMap<number, HostCase>,
  { timeoutMs }: HostSideOptions,
): Promise<Map<number, HostReport>> {
  const text = await boot(machine, {
    agent: readdirSync(AGENT_FOLDER)
      .filter((name) => name.endsWith(".py"))
      .map((name) => join(AGENT_FOLDER, name)),
    modules: MODULES,
    programme: programmeOf(cases, SETTINGS),
    timeoutMs,
    onProgress: () => {},
  });
  return readReport(text, cases);
}
