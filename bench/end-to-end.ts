/**
 * What does a balancer cost end to end, beside another one?
 *
 * Asked: requests per second direct to a server, through Sluice's engines (direct routing, NAT), through HAProxy and nginx as
 * balancers of TCP, with connections kept alive and with a connection for each request; megabytes per second of a
 * download; and the processor time that the balancer's processes take for a million of them.
 */
import type { InsideBenchmark } from "./inside.ts";
import { measure, type Sample } from "./load.ts";
import { median } from "./median.ts";
import { buildBench, type Variant } from "./topology.ts";
import { CONNECTIONS, LOADS, type Load } from "./wrk.ts";

export interface VariantFigures {
  readonly load: Load;
  readonly variant: Variant;
  /** Medians of the rounds; requests, of downloads megabytes. */
  readonly perSecond: number;
  readonly balancerCpu: number | undefined;
  readonly totalCpu: number;
  /** Of all rounds. */
  readonly errors: number;
}

const ROUNDS = 5;
const SECONDS = 3;

export const END_TO_END_METHOD = `\
Four hosts in network namespaces, joined by veth pairs and bridges, offloads as the kernel sets them: a client with wrk
(one thread, ${CONNECTIONS} connections; one for downloads), a real server (HAProxy that answers by itself, one thread; downloads of
100 MB: Node), and on hosts of their own Sluice, with one engine after the other, beside it a program that writes the
server's link address into a frame and sends it on, no more (the yardstick: what direct routing costs at least), and HAProxy
and nginx in TCP mode (Debian's, as many threads or workers as processors). A daemon that has just begun is asked for some
seconds before anything is counted. All share the machine's processors, so a rate tells what a request or a megabyte
costs in all. ${ROUNDS} rounds of ${SECONDS} seconds each, the variants by turns in every round; medians. Processor time is user and
system time from /proc for a million requests or megabytes, of the balancer's processes and of wrk, balancer and server
together. The kernel delivers a frame in the time of whoever sends it: what the server's TCP does with a balancer's frame
counts as the balancer's, for all kinds.`;

export const END_TO_END: InsideBenchmark<readonly VariantFigures[]> = {
  name: "end-to-end",
  measure: measureAll,
};

async function measureAll(progress: (text: string) => void): Promise<readonly VariantFigures[]> {
  const bench = await buildBench();
  const samples = new Map<string, Sample[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const variant of turned(bench.variants, 2 * round)) {
      for (const load of LOADS) {
        const sample = await measure(bench, variant, load, SECONDS);
        const what = load === "download" ? "MB" : "requests";
        const text = `${variant}, ${load}: ${sample.perSecond.toFixed(0)} ${what} a second`;
        progress(`round ${round + 1} of ${ROUNDS}, ${text}`);
        const key = `${load} ${variant}`;
        samples.set(key, [...(samples.get(key) ?? []), sample]);
      }
    }
  }
  return LOADS.flatMap((load) =>
    bench.variants.map((variant) => {
      const rounds = samples.get(`${load} ${variant}`) ?? [];
      const balancer = rounds.flatMap(({ balancerCpu }) => balancerCpu ?? []);
      return {
        load,
        variant,
        perSecond: median(rounds.map(({ perSecond }) => perSecond)),
        balancerCpu: balancer.length === 0 ? undefined : median(balancer),
        totalCpu: median(rounds.map(({ totalCpu }) => totalCpu)),
        errors: rounds.reduce((sum, { errors }) => sum + errors, 0),
      };
    }),
  );
}

/** The same, begun at another place in each round: none is always the one after the quiet or the busy one. */
function turned<Value>(values: readonly Value[], by: number): readonly Value[] {
  return [...values.slice(by), ...values.slice(0, by)];
}
