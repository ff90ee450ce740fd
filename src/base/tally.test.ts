import { expect, test } from "vitest";
import { Tally } from "./tally.ts";

test("something is there as long as anybody's share is", () => {
  const tally = new Tally<string>();
  expect([tally.add("a"), tally.add("a"), tally.size]).toEqual([true, false, 1]);
  expect([tally.delete("a"), tally.has("a")]).toEqual([false, true]);
  expect([tally.delete("a"), tally.has("a"), tally.size]).toEqual([true, false, 0]);
  expect(tally.delete("a")).toBe(false);
});
