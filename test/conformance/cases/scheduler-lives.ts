/** Long random conversations with a scheduler, each by its seed. */
import { type Prng, prng } from "../../../src/base/prng.ts";
import { type Case, SERVICES, type Step } from "../case.ts";
import { add, begin, edit, remove, type Target, targetOf } from "./scheduler-target.ts";

interface Life {
  readonly seed: number;
  readonly hasThresholds: boolean;
}

/** Connections of many clients open, go on, end and are reset; servers come, go and change: by a seed. */
export function lifeCase(group: string, variant: string, { seed, hasThresholds }: Life): Case {
  const chance = prng(seed * 1000 + variant.length);
  const target = targetOf(chance.below(4) === 0 ? 6 : 4, "tcp");
  const numbers = [21, 22, 23, 24];
  const servers = Object.fromEntries(
    numbers.slice(0, 3).map((number) => [number, options(chance, hasThresholds)]),
  );
  return {
    group,
    name: `${variant}, a life of seed ${seed}`,
    compare: "servers",
    sysctls: {},
    steps: [
      begin(target, variant, servers),
      ...life(target, new Set(numbers.slice(0, 3)), hasThresholds, chance),
      SERVICES,
    ],
  };
}

function options(chance: Prng, hasThresholds = false): string {
  const weight = chance.of([0, 1, 1, 2, 3, 5, 10, 300]);
  const upper = hasThresholds ? chance.of([0, 3, 5, 8]) : 0;
  return `-w ${weight}${upper === 0 ? "" : ` -x ${upper}${chance.below(2) === 0 ? "" : " -y 2"}`}`;
}

function life(target: Target, present: Set<number>, hasThresholds: boolean, chance: Prng): Step[] {
  const open: [client: number, port: number][] = [];
  const steps: Step[] = [];
  for (let turn = 0; turn < 90; turn++) {
    const dice = chance.below(20);
    if (dice < 10 || open.length === 0) {
      const flow: [number, number] = [chance.below(600), 4000 + turn];
      open.push(flow);
      steps.push(target.packet(...flow, "S"));
      if (chance.below(3) > 0) steps.push(target.packet(...flow, "A"));
    } else if (dice < 18) {
      const index = chance.below(open.length);
      const flow = open[index]!;
      const flags = chance.of(["A", "PA", "FA", "FA", "R"]);
      steps.push(target.packet(...flow, flags));
      if (flags === "R") open.splice(index, 1);
    } else if (!hasThresholds) {
      steps.push(change(target, present, chance));
    }
  }
  return steps;
}

function change(target: Target, present: Set<number>, chance: Prng): Step {
  const number = 21 + chance.below(4);
  if (!present.has(number)) {
    present.add(number);
    return add(target, number, options(chance));
  }
  if (chance.below(3) > 0 || present.size === 1) return edit(target, number, options(chance));
  present.delete(number);
  return remove(target, number);
}

/** With thresholds, nothing is edited: kernels differ in what an edit does to a server that is overloaded. */
export const LIVES: readonly Life[] = [
  { seed: 1, hasThresholds: false },
  { seed: 2, hasThresholds: false },
  { seed: 3, hasThresholds: false },
  { seed: 4, hasThresholds: true },
  { seed: 5, hasThresholds: true },
];
