import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("calls begin in their order, eight a turn", async () => {
  const turns = new Turns();
  const begun: number[] = [];
  for (let call = 0; call < 20; call++) void turns.take().then(() => begun.push(call));
  const counts: number[] = [];
  while (begun.length < 20) {
    await Promise.resolve();
    counts.push(begun.length);
    await nextTurn();
  }
  expect(begun).toEqual(Array.from({ length: 20 }, (_, call) => call));
  expect(counts.every((count, turn) => count <= 8 * (turn + 1))).toBe(true);
});

test("who comes later, and alone, waits for nobody", async () => {
  const turns = new Turns();
  for (let call = 0; call < 9; call++) void turns.take();
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  let hasBegun = false;
  void turns.take().then(() => {
    hasBegun = true;
  });
  await Promise.resolve();
  expect(hasBegun).toBe(true);
});
