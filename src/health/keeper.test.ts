import { describe, expect, test } from "vitest";
import { address } from "../../test/builders.ts";
import {
  addDestination,
  addService,
  type DesiredState,
  EMPTY_STATE,
  editDestination,
} from "../ipvs/desired/desired-state.ts";
import type { CheckPlan, ServiceHealth } from "../ipvs/desired/health.ts";
import { formatEndpoint, formatServiceKey, type ServiceKey } from "../ipvs/desired/service.ts";
import { serviceChanges } from "../ipvs/desired/service-changes.ts";
import { toPort } from "../net/port.ts";
import { type HealthEvent, HealthKeeper } from "./keeper.ts";
import { markOf } from "./memory.ts";
import type { Assignment, Change } from "./prober/protocol.ts";

const CHECK: CheckPlan = {
  name: undefined,
  type: "tcp",
  settings: {},
  intervalMs: 1_000,
  jitterMs: 0,
  timeoutMs: 500,
  retryMs: 100,
  backoffMs: 1_000,
  rise: 2,
  fall: 3,
  start: "up",
  via: undefined,
  address: undefined,
  port: undefined,
};

const HEALTH: ServiceHealth = {
  checks: [CHECK],
  destinations: {},
  onFailure: "remove",
  quorum: 1,
  hysteresis: 0,
  sorry: undefined,
  slowStartMs: 0,
  panicPercent: 0,
  flapping: undefined,
};

const endpoint = (text: string, port = 80) => ({ address: address(text), port: toPort(port) });
const key = (port: number): ServiceKey => ({
  kind: "endpoint",
  protocol: "tcp",
  endpoint: endpoint("10.0.0.1", port),
});
const plain = { forwarding: { kind: "masquerade" as const }, upperThreshold: 0, lowerThreshold: 0 };

function service(state: DesiredState, port: number, health: ServiceHealth, ...servers: string[]) {
  let next = addService(state, {
    key: key(port),
    scheduler: "wrr",
    schedulerFlags: 0,
    onePacket: false,
    persistence: undefined,
    persistenceEngine: undefined,
    health,
  });
  for (const each of servers) {
    next = addDestination(next, key(port), { endpoint: endpoint(each), weight: 5, ...plain });
  }
  return next;
}

/** A keeper, what it orders, and what the engine would have of the services. */
class Bench {
  readonly assigned = new Map<number, Assignment>();
  readonly events: HealthEvent[] = [];
  readonly keeper: HealthKeeper;
  renewals: (readonly string[])[] = [];
  now = 0;
  #state = EMPTY_STATE;
  #effective = EMPTY_STATE.services;

  constructor(remembered: Iterable<string> = []) {
    this.keeper = new HealthKeeper({
      order: ({ add, remove }) => {
        for (const id of remove) this.assigned.delete(id);
        for (const each of add) this.assigned.set(each.id, each);
      },
      renew: async (keyTexts) => {
        this.renewals.push(keyTexts);
        for (const keyText of keyTexts) this.#over(keyText);
      },
      happened: (event) => this.events.push(event),
      failed: (error) => {
        throw error;
      },
      remembered: new Set(remembered),
      now: () => this.now,
    });
  }

  become(state: DesiredState): void {
    const changes = serviceChanges(this.#state.services, state.services);
    this.#state = state;
    for (const { keyText } of changes) this.#over(keyText);
    this.keeper.follow(changes);
  }

  #over(keyText: string): void {
    const services = new Map(this.#effective);
    const plan = this.#state.services.get(keyText);
    if (plan === undefined) services.delete(keyText);
    else services.set(keyText, this.keeper.over(plan, services.get(keyText)));
    this.#effective = services;
  }

  plan(port: number) {
    return this.#effective.get(formatServiceKey(key(port)))!;
  }

  /** `10.0.0.2:80 w5`, in the engine's order. */
  has(port: number): string {
    return this.plan(port)
      .destinations.map((each) => `${formatEndpoint(each.endpoint)} w${each.weight}`)
      .join(", ");
  }

  /** All that ask this server are told, as one batch. */
  async tell(up: boolean, ...servers: string[]): Promise<void> {
    const changes = [...this.assigned.values()]
      .filter(({ target }) => servers.includes(target.address))
      .map(
        ({ id }): Change => ({
          id,
          up,
          isKnown: true,
          against: 0,
          downs: up ? 0 : 1,
          why: up ? "connected" : "connection refused",
          latencyMs: 1,
        }),
      );
    const before = this.renewals.length;
    this.keeper.hear({ changes });
    await expect.poll(() => this.renewals.length).toBe(before + 1);
  }
}

test("one that is down goes, and stands last when it returns; the others stay the same objects", async () => {
  const bench = new Bench();
  bench.become(service(EMPTY_STATE, 80, HEALTH, "10.0.0.2", "10.0.0.3", "10.0.0.4"));
  expect(bench.has(80)).toBe("10.0.0.2:80 w5, 10.0.0.3:80 w5, 10.0.0.4:80 w5");
  const [one, , three] = bench.plan(80).destinations;
  await bench.tell(false, "10.0.0.3");
  expect(bench.has(80)).toBe("10.0.0.2:80 w5, 10.0.0.4:80 w5");
  await bench.tell(true, "10.0.0.3");
  expect(bench.has(80)).toBe("10.0.0.2:80 w5, 10.0.0.4:80 w5, 10.0.0.3:80 w5");
  expect(bench.plan(80).destinations.slice(0, 2)).toEqual([one, three]);
  expect(bench.plan(80).destinations[0]).toBe(one);
  // News that change nothing make no other plan.
  const plan = bench.plan(80);
  await bench.tell(true, "10.0.0.2");
  expect(bench.plan(80)).toBe(plan);
  expect(bench.events.map((event) => event.kind)).toEqual(["quorum", "destination", "destination"]);
});

test("a server of many services is asked once, and each is renewed once", async () => {
  const bench = new Bench();
  let state = EMPTY_STATE;
  for (let port = 1; port <= 100; port++) {
    state = service(state, port, HEALTH, "10.0.0.2", "10.0.0.3");
  }
  bench.become(state);
  expect(bench.assigned.size).toBe(2);
  await bench.tell(false, "10.0.0.2", "10.0.0.3");
  expect(bench.renewals).toHaveLength(1);
  expect(new Set(bench.renewals[0]).size).toBe(100);
  expect(bench.has(50)).toBe("");
  bench.become(EMPTY_STATE);
  expect(bench.assigned.size).toBe(0);
  expect([...bench.keeper.services()]).toEqual([]);
});

test("a weight set by hand stays, whatever checks say meanwhile", async () => {
  const bench = new Bench();
  const state = service(EMPTY_STATE, 80, { ...HEALTH, onFailure: "inhibit" }, "10.0.0.2");
  bench.become(state);
  await bench.tell(false, "10.0.0.2");
  expect(bench.has(80)).toBe("10.0.0.2:80 w0");
  const spec = { endpoint: endpoint("10.0.0.2"), weight: 9, ...plain };
  bench.become(editDestination(state, key(80), spec));
  expect(bench.has(80)).toBe("10.0.0.2:80 w0");
  await bench.tell(true, "10.0.0.2");
  expect(bench.has(80)).toBe("10.0.0.2:80 w9");
});

test("somebody is sorry while the quorum is lost", async () => {
  const sorry = { endpoint: endpoint("10.0.0.9", 90), weight: 1, ...plain, isStanding: false };
  const bench = new Bench();
  bench.become(service(EMPTY_STATE, 80, { ...HEALTH, quorum: 6, sorry }, "10.0.0.2", "10.0.0.3"));
  await bench.tell(false, "10.0.0.2");
  expect(bench.has(80)).toBe("10.0.0.9:90 w1");
  await bench.tell(true, "10.0.0.2");
  expect(bench.has(80)).toBe("10.0.0.2:80 w5, 10.0.0.3:80 w5");
});

test("a quorum is told of when a service comes, one that is lost once that is known", async () => {
  const bench = new Bench();
  const told = (): string[] =>
    bench.events.splice(0).flatMap((each) => (each.kind === "quorum" ? `${each.has}` : []));
  const pessimist = {
    ...HEALTH,
    checks: HEALTH.checks.map((each) => ({ ...each, start: "down" as const })),
  };
  bench.become(service(EMPTY_STATE, 80, HEALTH, "10.0.0.2"));
  expect(told()).toEqual(["true"]);
  bench.become(service(EMPTY_STATE, 81, pessimist, "10.0.0.3"));
  expect(told()).toEqual([]);
  await bench.tell(false, "10.0.0.3");
  expect(told()).toEqual(["false"]);
  await bench.tell(true, "10.0.0.3");
  expect(told()).toEqual(["true"]);
});

describe("what is remembered", () => {
  test("begins as down; what it was before is nothing for a check that is added later", async () => {
    const first = new Bench();
    const state = service(EMPTY_STATE, 80, HEALTH, "10.0.0.2", "10.0.0.3");
    first.become(state);
    await first.tell(false, "10.0.0.2");
    const down = [...first.keeper.knownDown()];
    expect(down).toHaveLength(1);
    const second = new Bench(down);
    second.become(state);
    expect(second.has(80)).toBe("10.0.0.3:80 w5");
    const standings = [...second.assigned.values()].map(({ standing }) => standing);
    expect(standings).toContainEqual({ up: false, isKnown: false, against: 1, downs: 0 });
    second.become(EMPTY_STATE);
    second.become(state);
    expect(second.has(80)).toBe("10.0.0.2:80 w5, 10.0.0.3:80 w5");
  });

  test("a mark is the same for the same check", () => {
    expect(markOf("a")).toBe(markOf("a"));
    expect(markOf("a")).not.toBe(markOf("b"));
  });
});

test("slow starts go on by time alone", async () => {
  const bench = new Bench();
  bench.become(service(EMPTY_STATE, 80, { ...HEALTH, slowStartMs: 100 }, "10.0.0.2", "10.0.0.3"));
  await bench.tell(false, "10.0.0.2");
  await bench.tell(true, "10.0.0.2");
  expect(bench.has(80)).toBe("10.0.0.3:80 w5, 10.0.0.2:80 w1");
  bench.now = 50;
  await expect.poll(() => bench.has(80)).toBe("10.0.0.3:80 w5, 10.0.0.2:80 w3");
  bench.now = 200;
  await expect.poll(() => bench.has(80)).toBe("10.0.0.3:80 w5, 10.0.0.2:80 w5");
});
