import { expect, test } from "vitest";
import { FieldCopy, SHAPES, unreadable } from "./shapes.ts";

const { destination, ...others } = SHAPES;
const { weight: _, ...unweighted } = destination;

// biome-ignore format: a table
const found: [what: string, shapes: typeof SHAPES | undefined, why: string | undefined][] = [
  ["our own",            SHAPES,                                     undefined],
  ["none",               undefined,                                  "it did not note how it lays out what its programs know"],
  ["another meaning",    { ...SHAPES, meaning: 0 },                  "what its programs know means something else"],
  ["a field is missing", { ...others, destination: { ...unweighted, size: 128 } }, "its programs do not know a destination's weight"],
];

test.for(found)("can they be read? %s", ([, shapes, why]) => {
  expect(unreadable(shapes)).toBe(why);
});

test("what both know is copied, wherever and however long it lies", () => {
  const from = { size: 12, one: 0, two: 4, gone: 6, wide: 8 };
  const to = { size: 16, wide: 0, fresh: 8, two: 10, one: 12 };
  const target = new Uint8Array(20).fill(0xff);
  const source = Uint8Array.of(9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14);
  new FieldCopy(from, to, new Set(["two"])).copy(source, 2, target, 4);
  expect([...target.subarray(4)]).toEqual([
    11, 12, 13, 14, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4,
  ]);
});
