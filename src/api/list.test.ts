import { expect, test } from "vitest";
import { list } from "./list.ts";

test.for([0, 1, 2, 20_000])("a list of %i is one JSON object, in parts", async (length) => {
  const items = Array.from({ length }, (_, number) => number);
  const parts: Uint8Array[] = [];
  for await (const part of list("numbers", items, (number) => ({ number }))) parts.push(part);
  const whole: unknown = JSON.parse(Buffer.concat(parts).toString());
  expect(whole).toEqual({ numbers: items.map((number) => ({ number })) });
  expect(Math.max(...parts.map((part) => part.length))).toBeLessThan(40_000);
});
