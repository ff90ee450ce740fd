import { expect, test } from "vitest";
import { UserModeLinux } from "../../../test/conformance/machines/user-mode-linux.ts";
import { loadOn } from "../../../test/kernels/load.ts";

test("the programs load on Linux 6.1 and run there as tc filters, of which nothing stays", {
  timeout: 120_000,
}, async () => {
  const { kernel, ...loaded } = await loadOn(new UserModeLinux(), 100_000);
  expect(kernel).toMatch(/^6\.1\./);
  expect(loaded).toEqual({ hook: "clsact", result: -1, passed: 1 });
});
