import { afterAll, beforeAll, expect, test } from "vitest";
import { foundWorlds } from "../../../test/differential/found.ts";
import { play } from "../../../test/differential/play.ts";
import { Programs } from "../../../test/differential/programs.ts";
import { formatFound, seek } from "../../../test/differential/seek.ts";
import { worldOf } from "../../../test/differential/world.ts";

const FRAMES = 200_000;
const XDP_FRAMES = 20_000;

test("the program and the director behind it are the director alone", { timeout: 600_000 }, () => {
  const { found, forwarded } = seek({ seed: 1, frames: FRAMES });
  if (found !== undefined) expect.fail(formatFound(found));
  // It would prove nothing if everything went up.
  expect(forwarded).toBeGreaterThan(FRAMES / 20);
});

test("at XDP, too", { timeout: 600_000 }, () => {
  const { found, forwarded } = seek({ seed: 2_000, frames: XDP_FRAMES, hook: "xdp" });
  if (found !== undefined) expect.fail(formatFound(found));
  expect(forwarded).toBeGreaterThan(XDP_FRAMES / 20);
});

test("a world begins with what a load leaves, and nothing of another's", () => {
  using programs = new Programs();
  const { settings: _, ...loaded } = programs.contents();
  programs.begin(1);
  const first = programs.contents();
  expect(first).toMatchObject(loaded);
  expect(play(worldOf(1, 2_000), programs).difference).toBeUndefined();
  const after = programs.contents();
  for (const name of ["connections", "buckets", "replies", "services", "verdicts", "tally"]) {
    expect(after[name], name).not.toBe(first[name]);
  }
  programs.begin(1);
  expect(programs.contents()).toEqual(first);
});

let shared: Programs;

beforeAll(() => {
  shared = new Programs();
});

afterAll(() => shared[Symbol.dispose]());

test.for(foundWorlds())("what once differed does no more: %s", ([, world]) => {
  expect(play(world, shared).difference).toBeUndefined();
});
