import { expect, test } from "vitest";
import type { SimulationEvent } from "../../../src/simnet/event.ts";
import { stepsOf } from "./steps.ts";

const bytes = new Uint8Array(14);
type Told = SimulationEvent extends infer Each
  ? Each extends SimulationEvent
    ? Omit<Each, "number" | "timeMs">
    : never
  : never;

function events(...told: readonly Told[]): SimulationEvent[] {
  return told.map((each, number) => ({ ...each, number, timeMs: number }) as SimulationEvent);
}

test("a frame's way is one step, with who received it and who did not care", () => {
  const [step, ...more] = stepsOf(
    events(
      { kind: "frame-sent", host: "client", interface: "eth0", frame: 1, bytes },
      { kind: "frame-received", host: "node01", interface: "eth0", frame: 1, bytes },
      { kind: "frame-received", host: "node02", interface: "eth0", frame: 1, bytes },
      {
        kind: "dropped",
        host: "node02",
        interface: "eth0",
        frame: 1,
        form: "frame",
        bytes,
        reason: "arp-not-ours",
      },
    ),
    new Set(["lan"]),
  );
  expect(more).toEqual([]);
  expect(step).toMatchObject({
    kind: "frame",
    receivers: [{ host: "node01" }, { host: "node02" }],
    ignoredBy: ["node02"],
  });
});

test("a loss is a step of its own", () => {
  const steps = stepsOf(
    events({
      kind: "dropped",
      host: "node02",
      interface: "eth0",
      frame: 1,
      form: "frame",
      bytes,
      reason: "not-forwarding",
    }),
    new Set(),
  );
  expect(steps).toMatchObject([{ kind: "dropped", host: "node02", reason: "not-forwarding" }]);
});

test("changes of one table are one step; what switches learn is none", () => {
  const steps = stepsOf(
    events(
      { kind: "table-changed", host: "node01", table: "routes", change: "one" },
      { kind: "table-changed", host: "node01", table: "routes", change: "two" },
      { kind: "table-changed", host: "lan", table: "switch", change: "learnt" },
      { kind: "table-changed", host: "node01", table: "addresses", change: "three" },
    ),
    new Set(["lan"]),
  );
  expect(steps).toMatchObject([
    { table: "routes", changes: ["one", "two"], event: 0, last: 1 },
    { table: "addresses", changes: ["three"] },
  ]);
});
