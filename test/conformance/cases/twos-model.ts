/**
 * What twos comes to in numbers, by its definition alone (net/netfilter/ipvs/ip_vs_twos.c, the overhead of
 * include/net/ip_vs.h ip_vs_dest_conn_overhead()): the expectation that both sides are held against.
 */
import { type Prng, prng } from "../../../src/base/prng.ts";
import type { Share } from "../case.ts";

/** As the scheduler sees it. The list of servers has the newest first. */
export interface Loaded {
  readonly name: string;
  readonly weight: number;
  readonly active: number;
  readonly inactive: number;
  /** The upper threshold, 0 for none. */
  readonly upper: number;
}

const RUNS = 400;

/** Of `count` connections that leave no load behind. */
export function sharesOfFixedLoads(servers: readonly Loaded[], count: number): ShareTable {
  const drawn = drawChances(servers);
  const chances = servers.map(() => 0);
  for (const [first, chance] of drawn.entries()) {
    for (const [second, other] of drawn.entries()) {
      chances[winner(servers, first, second)]! += chance * other;
    }
  }
  return Object.fromEntries(
    servers.map(({ name }, index) => {
      const chance = chances[index]!;
      const share = { mean: count * chance, deviation: Math.sqrt(count * chance * (1 - chance)) };
      return [name, share];
    }),
  );
}

/** Of `count` connections that stay active, by runs of the definition with a seed. */
export function sharesOfGrowingLoads(servers: readonly Loaded[], count: number): ShareTable {
  const chance = prng(1);
  const runs = Array.from({ length: RUNS }, () => grown(servers, count, chance));
  return Object.fromEntries(
    servers.map(({ name }, index) => {
      const counts = runs.map((run) => run[index]!);
      const mean = counts.reduce((sum, each) => sum + each, 0) / RUNS;
      const squares = counts.reduce((sum, each) => sum + (each - mean) ** 2, 0);
      return [name, { mean, deviation: Math.sqrt(squares / (RUNS - 1)) }];
    }),
  );
}

type ShareTable = Readonly<Record<string, Share>>;

/** How many each got. */
function grown(servers: readonly Loaded[], count: number, chance: Prng): number[] {
  const now = servers.map((server) => ({ ...server }));
  for (let turn = 0; turn < count; turn++) {
    const [first, second] = [draw(now, chance), draw(now, chance)];
    if (first < 0) break;
    now[winner(now, first, second)]!.active++;
  }
  return now.map(({ active }, index) => active - servers[index]!.active);
}

/** A mark from 0 to the sum of the weights, both included, lies in the first whose weights summed up reach it. */
function drawChances(servers: readonly Loaded[]): number[] {
  const total = servers.reduce((sum, server) => sum + usableWeight(server), 0);
  const first = servers.findIndex((server) => usableWeight(server) > 0);
  return servers.map(
    (server, index) => (usableWeight(server) + (index === first ? 1 : 0)) / (total + 1),
  );
}

function draw(servers: readonly Loaded[], chance: Prng): number {
  const total = servers.reduce((sum, server) => sum + usableWeight(server), 0);
  let mark = chance.below(total + 1);
  return servers.findIndex((server) => {
    const weight = usableWeight(server);
    mark -= weight;
    return weight > 0 && mark <= 0;
  });
}

function usableWeight({ weight, active, inactive, upper }: Loaded): number {
  return upper !== 0 && active + inactive >= upper ? 0 : weight;
}

/** The less loaded for its weight; of a tie the first. */
function winner(servers: readonly Loaded[], first: number, second: number): number {
  const [one, other] = [servers[first]!, servers[second]!];
  return other.weight * overhead(one) > one.weight * overhead(other) ? second : first;
}

function overhead({ active, inactive }: Loaded): number {
  return active * 256 + (active + inactive);
}
