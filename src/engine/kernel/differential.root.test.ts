import { expect, test } from "vitest";
import { foundWorlds } from "../../../test/differential/found.ts";
import { formatFound, seek } from "../../../test/differential/seek.ts";
import { play } from "../../../test/differential/world.ts";

const FRAMES = 100_000;

test("the program and the director behind it are the director alone", { timeout: 600_000 }, () => {
  const { found, forwarded } = seek({ seed: 1, frames: FRAMES });
  if (found !== undefined) expect.fail(formatFound(found));
  // It would prove nothing if everything went up.
  expect(forwarded).toBeGreaterThan(FRAMES / 20);
});

test.for(foundWorlds())("what once differed does no more: %s", ([, world]) => {
  expect(play(world).difference).toBeUndefined();
});
