import { expect, test } from "vitest";
import { foundWorlds } from "../../../test/differential/found.ts";
import { formatFound, seek } from "../../../test/differential/seek.ts";
import { play } from "../../../test/differential/world.ts";

const FRAMES = 100_000;
const XDP_FRAMES = 10_000;

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

test.for(foundWorlds())("what once differed does no more: %s", ([, world]) => {
  expect(play(world).difference).toBeUndefined();
});
