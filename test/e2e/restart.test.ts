/** What clients notice of a daemon that ends and comes back. */
import { expect, test } from "vitest";
import { killUnderLoad } from "../attack/restart.ts";

test("killed 50 times under load, with servers checked: no connection is lost, every request is answered", async () => {
  const { lost, requests, failed, hostResets, adopted } = await killUnderLoad(50, {
    isChecked: true,
  });
  expect({ lost, failed, hostResets }).toEqual({ lost: {}, failed: {}, hostResets: 0 });
  expect(requests).toBeGreaterThan(0);
  // A daemon that is killed at once may not come to say so.
  expect(adopted).toBeGreaterThan(0);
}, 600_000);

test("nor while a flood of first packets fills the table", async () => {
  const { lost, failed, hostResets, adopted } = await killUnderLoad(10, { floodRate: 1_000 });
  expect({ lost, failed, hostResets }).toEqual({ lost: {}, failed: {}, hostResets: 0 });
  // Half-open entries lie among them.
  expect(adopted).toBeGreaterThan(1_000);
}, 600_000);

test("killed 50 times, programs of the kernel engine go on: new connections are opened while no daemon lives", async () => {
  const figures = await killUnderLoad(50, { engine: "kernel", runsMs: 300 });
  const { lost, failed, hostResets, servedWhileDead, adopted } = figures;
  expect({ lost, failed, hostResets }).toEqual({ lost: {}, failed: {}, hostResets: 0 });
  expect(servedWhileDead).toBeGreaterThan(10);
  expect(adopted).toBeGreaterThan(0);
}, 600_000);
