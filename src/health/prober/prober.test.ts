import { expect, onTestFinished, test } from "vitest";
import type { Instant } from "../../base/clock.ts";
import type { Outcome } from "../checker.ts";
import { standingAtStart } from "../judge.ts";
import { LagTally } from "./lag-tally.ts";
import { type Probe, Prober } from "./prober.ts";
import type { Assignment, Change } from "./protocol.ts";
import { Ways } from "./ways.ts";

const UP: Outcome = { up: true, why: "ok" };
const DOWN: Outcome = { up: false, why: "refused" };
const PATIENCE = { timeout: 10_000, interval: 5 };

function assignment(id: number, facts: Partial<Assignment> = {}): Assignment {
  const times = { intervalMs: 5, jitterMs: 1, timeoutMs: 2_000, retryMs: 1, backoffMs: 5 };
  const rest = {
    type: "any",
    settings: {},
    rise: 1,
    fall: 2,
    standing: standingAtStart({ start: "up" }),
  };
  return { id, target: { address: "192.0.2.1", port: id }, ...times, ...rest, ...facts };
}

/** What was told, as `id up why`. */
class Bench {
  readonly told: string[] = [];
  readonly changes: Change[] = [];
  readonly lag = new LagTally();
  readonly prober: Prober;

  constructor(probe: Probe, runningMax = 100) {
    this.prober = new Prober({
      ways: new Ways({ warn: () => {}, inform: () => {} }),
      load: async (type) => {
        if (type === "none") throw new Error("there is no check none");
        return probe;
      },
      tell: (change) => {
        this.changes.push(change);
        this.told.push(`${change.id} ${change.up ? "up" : "down"} ${change.why}`);
      },
      measured: () => {},
      clock: { now: () => performance.now() as Instant },
      chance: () => 0.01,
      lag: this.lag,
      runningMax,
      programsMax: 2,
    });
  }

  start(...assignments: Assignment[]): void {
    this.prober.order({ add: assignments, remove: [] });
    onTestFinished(() => this.prober.order({ add: [], remove: assignments.map(({ id }) => id) }));
  }
}

test("only what is different is told", async () => {
  let asked = 0;
  const bench = new Bench(async () => {
    asked++;
    return asked < 10 || asked > 20 ? UP : DOWN;
  });
  bench.start(assignment(1));
  await expect.poll(() => asked, PATIENCE).toBeGreaterThan(30);
  expect(bench.told).toEqual(["1 up ok", "1 down refused", "1 up ok"]);
  expect(bench.lag.take().probes).toBeGreaterThan(20);
});

test("one failure of two is told to nobody", async () => {
  let asked = 0;
  const bench = new Bench(async () => (++asked % 2 === 0 ? DOWN : UP));
  bench.start(assignment(1));
  await expect.poll(() => asked, PATIENCE).toBeGreaterThan(20);
  expect(bench.told).toEqual(["1 up ok"]);
});

test("another weight, another reason and a warning are told", async () => {
  const outcomes: Outcome[] = [UP, { ...UP, weight: 3 }, { ...UP, warning: "soon" }, UP];
  let asked = 0;
  const bench = new Bench(async () => outcomes[Math.min(asked++, 3)]!);
  bench.start(assignment(1));
  await expect.poll(() => bench.changes.length, PATIENCE).toBe(4);
  expect(bench.changes.map(({ weight, warning }) => weight ?? warning)).toEqual([
    undefined,
    3,
    "soon",
    undefined,
  ]);
});

test("however many are due at once, what has come is read in between", async () => {
  let [asked, begun, most] = [0, 0, 0];
  const bench = new Bench(async () => {
    asked++;
    begun++;
    return UP;
  }, 1_000);
  let turn: NodeJS.Immediate;
  const look = (): void => {
    most = Math.max(most, begun);
    begun = 0;
    turn = setImmediate(look);
  };
  look();
  onTestFinished(() => clearImmediate(turn));
  bench.start(...Array.from({ length: 300 }, (_, id) => assignment(id, { intervalMs: 60_000 })));
  await expect.poll(() => asked, PATIENCE).toBe(300);
  expect(most).toBeLessThanOrEqual(32);
});

test("a check that does not end, that throws, or that nobody has is down", async () => {
  const bench = new Bench(async ({ port }, _settings, signal) => {
    if (port === 1) return await new Promise(() => {});
    if (port === 2) throw new Error("a bug");
    await new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason)),
    );
    return UP;
  });
  const quick = { timeoutMs: 5, fall: 1 };
  bench.start(
    assignment(1, quick),
    assignment(2, quick),
    assignment(3, quick),
    assignment(4, { ...quick, type: "none" }),
  );
  await expect
    .poll(() => bench.told.toSorted(), PATIENCE)
    .toEqual([
      "1 down no answer in time",
      "2 down the check failed: a bug",
      "3 down the check failed: no answer in time",
      "4 down the check failed: there is no check none",
    ]);
});

test("not more run at once than may, and all get their turn", async () => {
  let running = 0;
  let most = 0;
  const bench = new Bench(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return UP;
  }, 3);
  bench.start(...Array.from({ length: 20 }, (_, index) => assignment(index)));
  await expect.poll(() => bench.told.length, PATIENCE).toBe(20);
  expect(most).toBe(3);
});

test("programs have fewer, and hold nobody else up", async () => {
  let programs = 0;
  const bench = new Bench(async (_target, { isProgram }) => {
    if (!isProgram) return UP;
    programs++;
    return await new Promise(() => {});
  });
  const hanging = { type: "exec", settings: { isProgram: true } };
  bench.start(...[1, 2, 3, 4, 5].map((id) => assignment(id, id < 5 ? hanging : {})));
  await expect.poll(() => bench.told, PATIENCE).toEqual(["5 up ok"]);
  await expect.poll(() => programs, PATIENCE).toBe(2);
});

test("who is not asked about any more is not told of", async () => {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let isEnded = false;
  const bench = new Bench((_target, _settings, signal) => {
    signal.addEventListener("abort", () => {
      isEnded = true;
    });
    return promise;
  });
  bench.start(assignment(1));
  await expect.poll(() => bench.lag.take().probes, PATIENCE).toBe(1);
  bench.prober.order({ add: [], remove: [1] });
  expect(isEnded).toBe(true);
  resolve(DOWN);
  await promise;
  expect(bench.told).toEqual([]);
});

test("how late probes began", () => {
  const tally = new LagTally();
  for (let each = 1; each <= 100; each++) tally.add(each);
  const { probes, p50Ms, p99Ms, maxMs } = tally.take();
  expect({ probes, maxMs }).toEqual({ probes: 100, maxMs: 100 });
  expect(p50Ms).toBeGreaterThanOrEqual(50);
  expect(p50Ms).toBeLessThan(56);
  expect(p99Ms).toBeGreaterThanOrEqual(99);
  expect(p99Ms).toBeLessThanOrEqual(100);
  expect(tally.take()).toEqual({ probes: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
});
