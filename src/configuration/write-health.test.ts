/** What is decided by health, written and read again, and sent over the socket, says the same. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { address } from "../../test/builders.ts";
import { wantedServiceFromWire, wantedServiceToWire } from "../control/wanted-wire.ts";
import { WANTED_SERVICE_SCHEMA } from "../control/wire-schema.ts";
import { EMPTY_STATE } from "../ipvs/desired/desired-state.ts";
import type { CheckPlan, ServiceHealth } from "../ipvs/desired/health.ts";
import { reconcile, type WantedState } from "../ipvs/desired/wanted.ts";
import { toPort } from "../net/port.ts";
import { NO_DEFAULTS, readText } from "./files.ts";
import { resolve } from "./resolve.ts";
import { contentOf, writeConfiguration } from "./write.ts";

const period = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom(60_000, 86_400_000));
const count = fc.integer({ min: 1, max: 1_000 });
const perhaps = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const check: fc.Arbitrary<CheckPlan> = fc
  .record({
    name: fc.constant(undefined),
    kind: fc.constantFrom(
      { type: "tcp", settings: {} },
      { type: "exec", settings: { command: "/bin/true -x", dynamic: true } },
      { type: "file", settings: { path: "/run/weight", multiplier: -1 } },
    ),
    intervalMs: period,
    jitterMs: fc.oneof(fc.constant(0), period),
    timeoutMs: period,
    retryMs: period,
    longerMs: fc.oneof(fc.constant(0), period),
    rise: count,
    fall: count,
    start: fc.constantFrom("up" as const, "down" as const),
    address: perhaps(fc.constant("192.0.2.9")),
    port: perhaps(fc.integer({ min: 1, max: 0xffff })),
    via: perhaps(fc.constantFrom("vip", "direct", "192.0.2.1", "2001:db8::1")),
  })
  .map(({ kind, longerMs, ...plan }) => ({
    ...kind,
    ...plan,
    backoffMs: plan.intervalMs + longerMs,
  }));

const NAMED: CheckPlan = {
  name: "called",
  type: "tcp",
  settings: {},
  intervalMs: 2_000,
  jitterMs: 0,
  timeoutMs: 1_000,
  retryMs: 500,
  backoffMs: 60_000,
  rise: 1,
  fall: 2,
  start: "down",
  address: undefined,
  port: 8_080,
  via: "direct",
};

const checks = fc.uniqueArray(fc.oneof(check, fc.constant(NAMED)), {
  maxLength: 2,
  selector: (plan) => JSON.stringify(plan),
});
const onFailure = fc.constantFrom("remove" as const, "inhibit" as const);
const endpoint = (text: string, port: number) => ({ address: address(text), port: toPort(port) });
const route = { forwarding: { kind: "route" as const }, upperThreshold: 0, lowerThreshold: 0 };

const health: fc.Arbitrary<ServiceHealth> = fc.record({
  checks: checks.filter((plans) => plans.length > 0),
  destinations: perhaps(fc.constantFrom("192.0.2.21:80", "192.0.2.22:8080")).chain((at) =>
    at === undefined
      ? fc.constant({})
      : onFailure.map((own) => ({ [at]: { checks: undefined, onFailure: own } })),
  ),
  onFailure,
  quorum: count,
  hysteresis: fc.nat({ max: 3 }),
  sorry: perhaps(
    fc.record({ weight: count, isStanding: fc.boolean() }).map((facts) => ({
      endpoint: endpoint("192.0.2.30", 81),
      ...route,
      ...facts,
    })),
  ),
  slowStartMs: fc.oneof(fc.constant(0), period),
  panicPercent: fc.constant(0),
  flapping: perhaps(
    fc.record({
      changes: fc.integer({ min: 2, max: 9 }),
      withinMs: period,
      holdMs: period,
    }),
  ),
});

function wantedWith(wanted: ServiceHealth | undefined): WantedState {
  const spec = {
    key: { kind: "endpoint", protocol: "tcp", endpoint: endpoint("192.0.2.10", 80) },
    scheduler: "wlc",
    schedulerFlags: 0,
    onePacket: false,
    persistence: undefined,
    persistenceEngine: undefined,
    health: wanted,
  } as const;
  const destinations = [endpoint("192.0.2.21", 80), endpoint("192.0.2.22", 8_080)].map((each) => ({
    endpoint: each,
    weight: 1,
    ...route,
  }));
  return { services: [{ spec, destinations }], timeouts: {}, sysctls: {}, keepsOthers: false };
}

test("a file says it as it is", () => {
  fc.assert(
    fc.property(health, (each) => {
      const before = reconcile(EMPTY_STATE, wantedWith(each));
      const text = writeConfiguration(contentOf(wantedWith(each)), []);
      const { files, problems } = readText("sluice.yaml", text, NO_DEFAULTS, {});
      const resolved = resolve(files);
      expect([...problems, ...resolved.problems]).toEqual([]);
      expect(reconcile(before, resolved.wanted)).toBe(before);
    }),
  );
});

test("the socket carries it as it is", () => {
  fc.assert(
    fc.property(health, (each) => {
      const wanted = wantedWith(each);
      const sent = JSON.parse(JSON.stringify(wanted.services.map(wantedServiceToWire)));
      const services = sent.map((wire: unknown) =>
        wantedServiceFromWire(WANTED_SERVICE_SCHEMA.parse(wire)),
      );
      const before = reconcile(EMPTY_STATE, wanted);
      expect(reconcile(before, { ...wanted, services })).toBe(before);
    }),
  );
});

test("other health is no edit: scheduler and destinations go on", () => {
  const [one] = fc.sample(health, 1);
  const before = reconcile(EMPTY_STATE, wantedWith(one));
  const after = reconcile(before, wantedWith({ ...one!, quorum: one!.quorum + 1 }));
  const [planBefore, planAfter] = [before, after].map((state) => [...state.services.values()][0]!);
  expect(planAfter).not.toBe(planBefore);
  expect(planAfter!.revision).toBe(planBefore!.revision);
  expect(planAfter!.destinations).toBe(planBefore!.destinations);
  const without = [...reconcile(after, wantedWith(undefined)).services.values()][0]!;
  expect(without.health).toBeUndefined();
});
