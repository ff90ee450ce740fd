import fc from "fast-check";
import { expect, test } from "vitest";
import { candidate, request, type TestCandidate } from "../../../test/builders.ts";
import { greatestCommonDivisor } from "./greatest-common-divisor.ts";
import { isEligible } from "./scheduler.ts";
import { wrr } from "./wrr.ts";

/** wrr without leaps: it tries each level, as the kernel does. */
class LevelByLevel {
  #position = -1;
  #level = 0;
  #top = 0;
  #step = 1;

  changed(list: readonly TestCandidate[]): void {
    const weights = list.map(({ weight }) => weight);
    this.#position = -1;
    this.#step = greatestCommonDivisor(weights) || 1;
    this.#top = Math.max(0, ...weights) - (this.#step - 1);
    if (this.#level > this.#top || this.#level === 0) this.#level = this.#top;
    else if (this.#step > 1) this.#level -= (this.#level % this.#step) - 1;
  }

  pick(list: readonly TestCandidate[]): TestCandidate | undefined {
    if (this.#top === 0) return undefined;
    const start = this.#position;
    let hasRestarted = false;
    let isLastRound = false;
    let end = -1;
    for (let from = start + 1; ; from = 0) {
      for (let index = from; index < list.length; index++) {
        this.#position = index;
        const each = list[index]!;
        if (isEligible(each) && each.weight >= this.#level) return each;
        if (index === end) return undefined;
      }
      this.#position = -1;
      this.#level -= this.#step;
      if (this.#level <= 0) {
        this.#level = this.#top;
        if (isLastRound || start === -1) return undefined;
        hasRestarted = true;
      }
      isLastRound = this.#level <= this.#step;
      if (isLastRound && hasRestarted) end = start;
    }
  }
}

const steps = fc.array(
  fc.record({
    action: fc.constantFrom("pick", "pick", "pick", "overload", "edit", "add"),
    at: fc.nat(9),
    weight: fc.constantFrom(0, 1, 2, 3, 4, 6, 10, 12, 300),
  }),
  { maxLength: 150 },
);

test("leaping over levels picks what trying each of them picks", () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const scheduler = wrr<TestCandidate>();
      const reference = new LevelByLevel();
      let list: TestCandidate[] = [];
      for (const { action, at, weight } of steps) {
        const chosen = list[at % list.length];
        if (action === "add") list = [candidate({ weight }), ...list];
        else if (action === "edit" && chosen !== undefined) chosen.weight = weight;
        else if (action === "overload" && chosen !== undefined) {
          chosen.isOverloaded = !chosen.isOverloaded;
        }
        if (action === "add" || action === "edit") {
          scheduler.changed?.("edited", list, undefined);
          reference.changed(list);
        }
        expect(list.indexOf(scheduler.pick(request(), list)!)).toBe(
          list.indexOf(reference.pick(list)!),
        );
      }
    }),
    { seed: 7, numRuns: 500 },
  );
});

test("weights far apart take no longer than others", () => {
  const heavy = candidate({ weight: 2 ** 31 - 1, isOverloaded: true });
  const light = candidate({ weight: 1 });
  const scheduler = wrr<TestCandidate>();
  scheduler.changed?.("bound", [heavy, light], undefined);
  // Level after level this would be 2^31 looks at the list for every pick.
  for (let count = 0; count < 1000; count++) {
    expect(scheduler.pick(request(), [heavy, light])).toBe(light);
  }
});
