/** One measurement end to end: wrk asks for some seconds, and what the balancer spent meanwhile is read from /proc. */
import { readFileSync } from "node:fs";
import { LabFailure } from "../src/lab/failure.ts";
import type { Bench, Variant } from "./topology.ts";
import { type Load, wrk } from "./wrk.ts";

export interface Sample {
  readonly requestsPerSecond: number;
  /** wrk's: sockets that failed or timed out, and answers other than 2xx and 3xx. */
  readonly errors: number;
  /** Processor time for a million requests: the balancer's process's, undefined without one; */
  readonly balancerCpu: number | undefined;
  /** and that of wrk, balancer and server together. */
  readonly totalCpu: number;
}

/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux that is built today. */
const TICKS_PER_SECOND = 100;

export async function measure(
  { client, server, urls, ready }: Bench,
  variant: Variant,
  load: Load,
  seconds: number,
): Promise<Sample> {
  const balancer = await ready(variant);
  const before = { balancer: cpuSeconds(balancer), server: cpuSeconds(server) };
  const { code, output } = await client.run(`${wrk(urls[variant], load, seconds)} && times`, {
    timeoutMs: (seconds + 15) * 1000,
  });
  const balancerSeconds = cpuSeconds(balancer) - before.balancer;
  const serverSeconds = cpuSeconds(server) - before.server;
  const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
  const rate = Number(/Requests\/sec:\s*([\d.]+)/.exec(output)?.[1] ?? 0);
  if (code !== 0 || requests === 0) {
    throw new LabFailure(`wrk through ${variant} got no answers: ${output.trim()}`);
  }
  const millions = requests / 1_000_000;
  return {
    requestsPerSecond: rate,
    errors: errorsIn(output),
    balancerCpu: balancer === undefined ? undefined : balancerSeconds / millions,
    totalCpu: (balancerSeconds + serverSeconds + childrensSeconds(output)) / millions,
  };
}

function errorsIn(output: string): number {
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    output,
  );
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(output);
  return [...(sockets?.slice(1) ?? []), refused?.[1] ?? "0"].reduce(
    (sum, count) => sum + Number(count),
    0,
  );
}

/** What the shell's `times` says of its children, in its last line: user and system time, as `0m1.23s 0m4.56s`. */
function childrensSeconds(output: string): number {
  const [, ...parts] = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(output) ?? [];
  const [userMinutes = 0, user = 0, systemMinutes = 0, system = 0] = parts.map(Number);
  return (userMinutes + systemMinutes) * 60 + user + system;
}

/** User and system time of the process with all its threads: fields 14 and 15 of proc_pid_stat(5). 0 for none. */
function cpuSeconds(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
