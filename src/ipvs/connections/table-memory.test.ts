import { expect, test } from "vitest";
import { FIELD } from "./connection-record.ts";
import { LAYOUT, RECORD_BYTES } from "./table-memory.ts";

/** Words of those fields that are longer than one. */
const LENGTHS: Readonly<Record<string, number>> = {
  client: 4,
  virtual: 4,
  destination: 4,
  expiresAt: 2,
  destinationKey: 2,
};

test("no word of a record is two fields', and doubles lie on even words", () => {
  const words = Object.entries(FIELD).flatMap(([name, at]) =>
    Array.from({ length: LENGTHS[name] ?? 1 }, (_, index) => at + index),
  );
  expect(new Set(words).size).toBe(words.length);
  expect(Math.max(...words) * 4).toBeLessThan(RECORD_BYTES);
  expect([FIELD.expiresAt % 2, FIELD.destinationKey % 2]).toEqual([0, 0]);
});

test("the layout names what the meaning of a record depends on", () => {
  for (const name of [...Object.keys(FIELD), "timeWait", "masquerade", "assured", "inet6"]) {
    expect(LAYOUT).toContain(`"${name}"`);
  }
});
