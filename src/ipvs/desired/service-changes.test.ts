import fc from "fast-check";
import { expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import { Names } from "../../../test/packets/names.ts";
import { type DesiredState, EMPTY_STATE } from "./desired-state.ts";
import { LbError } from "./errors.ts";
import type { ServicePlan } from "./service.ts";
import { serviceChanges } from "./service-changes.ts";
import { ServiceMap } from "./service-map.ts";

const names = new Names("inet");

/** The states that commands about few services lead through, refused ones left out. */
function states(verbs: readonly (readonly [verb: string, port: number])[]): DesiredState[] {
  const all = [EMPTY_STATE];
  for (const [verb, port] of verbs) {
    try {
      all.push(command(all.at(-1)!, verb === "-C" ? verb : `${verb} -t V:${port}`, names));
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
    }
  }
  return all;
}

// More services than the map's difference holds, so that it is made one now and then.
const verbs = fc.array(
  fc.tuple(fc.constantFrom("-A", "-A", "-A", "-E", "-D"), fc.integer({ min: 1, max: 90 })),
  { maxLength: 300 },
);

test("a map of services is what a plain map would be, in its order", () => {
  fc.assert(
    fc.property(verbs, (commands) => {
      const plain = new Map<string, ServicePlan>();
      let before = EMPTY_STATE;
      for (const state of states(commands).slice(1)) {
        for (const key of plain.keys()) if (!state.services.has(key)) plain.delete(key);
        for (const { keyText, after } of serviceChanges(before.services, state.services)) {
          if (after !== undefined) plain.set(keyText, after);
        }
        before = state;
        expect(state.services.size).toBe(plain.size);
      }
      expect([...before.services]).toEqual([...plain]);
      for (const [key, plan] of plain) expect(before.services.get(key)).toBe(plan);
    }),
  );
});

test("the changes between any two states lead from one to the other, order and all", () => {
  fc.assert(
    fc.property(verbs, fc.nat(), fc.nat(), (commands, one, other) => {
      const all = states(commands);
      const [from, to] = [one % all.length, other % all.length].toSorted((a, b) => a - b);
      const [before, after] = [all[from!]!.services, all[to!]!.services];
      const made = new Map(before);
      for (const change of serviceChanges(before, after)) {
        expect(made.get(change.keyText)).toBe(change.before);
        if (change.after === undefined) made.delete(change.keyText);
        else made.set(change.keyText, change.after);
      }
      expect([...made]).toEqual([...after]);
    }),
  );
});

test("what a state was never changes", () => {
  const [, first, second] = states([
    ["-A", 1],
    ["-A", 2],
  ]);
  const before = [...first!.services];
  const after = ServiceMap.of(second!.services).without("TCP 10.9.0.100:80");
  expect([...first!.services]).toEqual(before);
  expect(after.size).toBe(2);
});
