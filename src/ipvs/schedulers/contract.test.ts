/** What every scheduler promises, whatever its rule. A rule of its own is tested in its own file. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { candidate, candidates, request, type TestCandidate } from "../../../test/builders.ts";
import { prng } from "../../base/prng.ts";
import { DEFAULT_SYSCTLS } from "../desired/sysctls.ts";
import { SCHEDULERS, type SchedulerName } from "./index.ts";
import type { Scheduler } from "./scheduler.ts";

const names = (Object.keys(SCHEDULERS) as SchedulerName[]).filter((name) => name !== "none");

/** These refuse where others would serve: who hashes has one choice for a client, and ovf keeps to its limits. */
const REFUSES_FOR_OTHERS: readonly SchedulerName[] = ["dh", "sh", "mh", "ovf"];

/** A cached server is used whatever its upper threshold says. */
const IGNORES_THRESHOLDS: readonly SchedulerName[] = ["lblc"];

describe.for(names)("%s", (name) => {
  test("picks nothing from nothing", () => {
    expect(bound(name, []).pick(request(), [])).toBeUndefined();
  });

  test("picks nothing when all are drained or overloaded", () => {
    const list = candidates("w0 0/0, w1 0/0!, w0 5/5!");
    const scheduler = bound(name, list);
    for (const client of clients(20)) expect(scheduler.pick(client, list)).toBeUndefined();
  });

  test("never picks a drained or an overloaded destination", () => {
    const list = candidates("w0 0/0, w1 1/0, w5 0/0!");
    const scheduler = bound(name, list);
    for (const client of clients(100)) {
      const picked = scheduler.pick(client, list);
      if (picked === undefined) expect(REFUSES_FOR_OTHERS).toContain(name);
      else expect(picked).toBe(list[1]);
    }
  });

  test("picks the only destination, however heavy", () => {
    const list = [candidate({ weight: 2 ** 31 - 1 })];
    const scheduler = bound(name, list);
    for (const client of clients(20)) expect(scheduler.pick(client, list)).toBe(list[0]);
  });

  test("is deterministic: one seed, one sequence", () => {
    expect(sequence(name, 50)).toEqual(sequence(name, 50));
  });

  test("keeps to the list whatever becomes of it", () => {
    fc.assert(
      fc.property(fc.array(step(), { maxLength: 60 }), (steps) => {
        const service = new ChangingService(name);
        for (const { action, at, weight } of steps) {
          service[action](at, weight);
          service.checkPick(at);
        }
      }),
      { numRuns: 100, seed: 7 },
    );
  });
});

function bound(name: SchedulerName, list: readonly TestCandidate[]): Scheduler<TestCandidate> {
  const scheduler = SCHEDULERS[name]<TestCandidate>({
    fallback: false,
    port: false,
    prng: prng(1),
    sysctls: () => DEFAULT_SYSCTLS,
  });
  scheduler.changed?.("bound", list, undefined);
  return scheduler;
}

function clients(count: number) {
  return Array.from({ length: count }, (_, index) => request({ client: `10.9.3.${index}` }));
}

function sequence(name: SchedulerName, length: number): (string | undefined)[] {
  const list = candidates("w1 0/0, w2 0/0, w3 0/0");
  const scheduler = bound(name, list);
  return clients(length).map((client) => {
    const picked = scheduler.pick(client, list);
    if (picked !== undefined) picked.activeConnections++;
    return picked?.address.toString();
  });
}

interface Step {
  readonly action: "add" | "remove" | "edit" | "overload" | "connect";
  readonly at: number;
  readonly weight: number;
}

function step(): fc.Arbitrary<Step> {
  return fc.record({
    action: fc.constantFrom("add", "add", "remove", "edit", "overload", "connect"),
    at: fc.nat(99),
    weight: fc.oneof(fc.nat(3), fc.nat(1000), fc.nat(2 ** 31 - 1)),
  });
}

/** A service whose destinations come, go and change between picks. */
class ChangingService {
  readonly #name: SchedulerName;
  readonly #scheduler: Scheduler<TestCandidate>;
  #list: readonly TestCandidate[] = [];

  constructor(name: SchedulerName) {
    this.#name = name;
    this.#scheduler = bound(name, []);
  }

  add(_at: number, weight: number): void {
    const added = candidate({ weight });
    this.#list = [added, ...this.#list];
    this.#scheduler.changed?.("added", this.#list, added);
  }

  remove(at: number): void {
    const removed = this.#choose(at);
    if (removed === undefined) return;
    removed.isAvailable = false;
    this.#list = this.#list.filter((each) => each !== removed);
    this.#scheduler.changed?.("removed", this.#list, removed);
  }

  edit(at: number, weight: number): void {
    const edited = this.#choose(at);
    if (edited === undefined) return;
    edited.weight = weight;
    if (weight > 0) edited.lastWeight = weight;
    this.#scheduler.changed?.("edited", this.#list, edited);
  }

  overload(at: number): void {
    const chosen = this.#choose(at);
    if (chosen !== undefined) chosen.isOverloaded = !chosen.isOverloaded;
  }

  connect(at: number, weight: number): void {
    const chosen = this.#choose(at);
    if (chosen !== undefined) chosen.activeConnections += weight;
  }

  checkPick(at: number): void {
    const picked = this.#scheduler.pick(request({ client: `10.9.3.${at}` }), this.#list);
    if (picked === undefined) {
      if (!REFUSES_FOR_OTHERS.includes(this.#name)) expect(this.#list.some(isFree)).toBe(false);
      return;
    }
    expect(this.#list).toContain(picked);
    expect(picked.weight).toBeGreaterThan(0);
    if (!IGNORES_THRESHOLDS.includes(this.#name)) expect(picked.isOverloaded).toBe(false);
  }

  #choose(at: number): TestCandidate | undefined {
    return this.#list[at % Math.max(this.#list.length, 1)];
  }
}

function isFree({ weight, isOverloaded }: TestCandidate): boolean {
  return weight > 0 && !isOverloaded;
}
