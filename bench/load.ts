/** One measurement end to end: wrk asks for some seconds, and what the balancer spent meanwhile is read from /proc. */
import { readFileSync } from "node:fs";
import { LabFailure } from "../src/lab/scenario.ts";
import type { Bench, Variant } from "./topology.ts";

export const LOADS = ["keep-alive", "connection-per-request"] as const;
export type Load = (typeof LOADS)[number];

export const CONNECTIONS = 64;

export interface Sample {
  readonly requestsPerSecond: number;
  /** wrk's: sockets that failed or timed out, and answers other than 2xx and 3xx. */
  readonly errors: number;
  /** Of the balancer's process, for a million requests; undefined without one. */
  readonly cpuSeconds: number | undefined;
}

/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux that is built today. */
const TICKS_PER_SECOND = 100;

export async function measure(
  { client, urls, balancers }: Bench,
  variant: Variant,
  load: Load,
  seconds: number,
): Promise<Sample> {
  const close = load === "keep-alive" ? "" : "-H 'Connection: close' ";
  const before = cpuSeconds(balancers[variant]);
  const { code, output } = await client.run(
    `wrk -t 1 -c ${CONNECTIONS} -d ${seconds} ${close}${urls[variant]}`,
    { timeoutMs: (seconds + 15) * 1000 },
  );
  const after = cpuSeconds(balancers[variant]);
  const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
  const rate = Number(/Requests\/sec:\s*([\d.]+)/.exec(output)?.[1] ?? 0);
  if (code !== 0 || requests === 0) {
    throw new LabFailure(`wrk through ${variant} got no answers: ${output.trim()}`);
  }
  return {
    requestsPerSecond: rate,
    errors: errorsIn(output),
    cpuSeconds:
      before === undefined || after === undefined
        ? undefined
        : ((after - before) / requests) * 1_000_000,
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

/** User and system time of the process with all its threads: fields 14 and 15 of proc_pid_stat(5). */
function cpuSeconds(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
