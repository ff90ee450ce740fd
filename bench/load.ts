/** One measurement end to end: wrk asks for some seconds, and what the balancer spent meanwhile is read from /proc. */
import { readFileSync } from "node:fs";
import { LabFailure } from "../src/lab/failure.ts";
import type { Bench, Variant } from "./topology.ts";
import { type Carried, carriedIn, type Load, wrk } from "./wrk.ts";

export interface Sample extends Carried {
  /** Processor time for a million requests or megabytes: the balancer's processes', undefined without one; */
  readonly balancerCpu: number | undefined;
  /** and that of wrk, balancer and server together. */
  readonly totalCpu: number;
}

/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux that is built today. */
const TICKS_PER_SECOND = 100;

export async function measure(
  { client, servers, urlOf, ready }: Bench,
  variant: Variant,
  load: Load,
  seconds: number,
): Promise<Sample> {
  const balancer = await ready(variant);
  const server = servers[load];
  const before = { balancer: cpuSeconds(balancer), server: cpuSeconds(server) };
  const line = wrk(urlOf(variant, load), load, seconds);
  const { code, output } = await client.run(`${line} && times`, {
    timeoutMs: (seconds + 30) * 1000,
  });
  const balancerSeconds = cpuSeconds(balancer) - before.balancer;
  const serverSeconds = cpuSeconds(server) - before.server;
  const carried = carriedIn(output, load);
  if (code !== 0 || carried.amount === 0) {
    throw new LabFailure(`wrk through ${variant} got no answers: ${output.trim()}`);
  }
  const millions = carried.amount / 1_000_000;
  return {
    ...carried,
    balancerCpu: balancer === undefined ? undefined : balancerSeconds / millions,
    totalCpu: (balancerSeconds + serverSeconds + childrensSeconds(output)) / millions,
  };
}

/** What the shell's `times` says of its children, in its last line: user and system time, as `0m1.23s 0m4.56s`. */
function childrensSeconds(output: string): number {
  const [, ...parts] = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(output) ?? [];
  const [userMinutes = 0, user = 0, systemMinutes = 0, system = 0] = parts.map(Number);
  return (userMinutes + systemMinutes) * 60 + user + system;
}

/** User and system time of the process and its children, with all their threads. 0 for none. */
function cpuSeconds(pid: number | undefined): number {
  if (pid === undefined) return 0;
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + ownSeconds(each), 0);
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

/** Fields 14 and 15 of proc_pid_stat(5). */
function ownSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
