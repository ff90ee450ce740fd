import { expect, test } from "vitest";
import type { LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";
import { perform, type Stage, type Statement, type Step } from "./scenario.ts";

const stage: Stage = {
  run: () => Promise.reject(new LabFailure("node02: no such command")),
  attempt: async () => ({ code: 1, stdout: "", output: "" }),
  progress: () => {},
};

const statement = (says: string, ok: boolean): Statement => ({
  says,
  check: async () => ({ ok, evidence: "seen" }),
});

async function eventsOf(steps: readonly Step[]): Promise<LabEvent[]> {
  const events: LabEvent[] = [];
  await perform(steps, stage, (event) => events.push(event)).catch((error: Error) => {
    events.push({ kind: "failure", why: error.message });
  });
  return events;
}

test("a statement that fails does not stop the steps", async () => {
  const steps = [
    { title: "one", statements: [statement("a", false), statement("b", true)] },
    { title: "two", statements: [statement("c", true)] },
  ];
  expect(await eventsOf(steps)).toEqual([
    { kind: "step", number: 1, title: "one" },
    { kind: "statement", says: "a", ok: false, evidence: "seen" },
    { kind: "statement", says: "b", ok: true, evidence: "seen" },
    { kind: "step", number: 2, title: "two" },
    { kind: "statement", says: "c", ok: true, evidence: "seen" },
  ]);
});

test("a failure does", async () => {
  const steps: Step[] = [
    {
      title: "one",
      perform: async (acted) => {
        await acted.run("node02", "ifconfig");
      },
      statements: [statement("a", true)],
    },
    { title: "two", statements: [] },
  ];
  expect(await eventsOf(steps)).toEqual([
    { kind: "step", number: 1, title: "one" },
    { kind: "failure", why: "node02: no such command" },
  ]);
});
