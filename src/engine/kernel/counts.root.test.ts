import { expect, test } from "vitest";
import { churn } from "../../../test/churn/churn.ts";

test("connections come and go from all processors: counts are what there is, and an idle table counts nothing", async () => {
  const { opened, counted, present, idle } = await churn(200_000);
  expect(opened).toBeGreaterThan(100_000);
  expect(counted).toEqual(present);
  const none = counted.destinations.map(() => [0, 0]);
  expect(idle).toEqual({ destinations: none, halfOpen: 0 });
});
