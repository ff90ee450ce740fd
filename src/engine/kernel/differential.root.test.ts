import { expect, test } from "vitest";
import { formatFound, seek } from "../../../test/differential/seek.ts";

const FRAMES = 100_000;

test("the program and the director behind it are the director alone", { timeout: 600_000 }, () => {
  const { found, forwarded } = seek({ seed: 1, frames: FRAMES });
  if (found !== undefined) expect.fail(formatFound(found));
  // It would prove nothing if everything went up.
  expect(forwarded).toBeGreaterThan(FRAMES / 20);
});
