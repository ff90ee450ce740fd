/** What clients notice of a daemon that ends and comes back. */
import { expect, test } from "vitest";
import { killUnderLoad } from "../attack/restart.ts";

test("killed 50 times under load: no connection is lost, every request is answered", async () => {
  const { lost, requests, failed, adopted } = await killUnderLoad(50);
  expect({ lost, failed }).toEqual({ lost: 0, failed: {} });
  expect(requests).toBeGreaterThan(0);
  // A daemon that is killed at once may not come to say so.
  expect(adopted).toBeGreaterThan(0);
}, 600_000);
