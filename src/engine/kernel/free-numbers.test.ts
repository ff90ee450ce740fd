import { expect, test } from "vitest";
import { FreeNumbers } from "./free-numbers.ts";

test("numbers are taken from 0 on, and none twice", () => {
  const numbers = new FreeNumbers(3);
  expect([numbers.take(), numbers.take(), numbers.take(), numbers.take()]).toEqual([
    0,
    1,
    2,
    undefined,
  ]);
});

test("what is given back is taken before what never was", () => {
  const numbers = new FreeNumbers(9);
  for (let count = 0; count < 3; count++) numbers.take();
  numbers.giveBack(1);
  expect([numbers.take(), numbers.take()]).toEqual([1, 3]);
});

test("what is reserved is nobody else's, and what lies between is free", () => {
  const numbers = new FreeNumbers(6);
  numbers.reserve(new Set([1, 3]));
  const taken = [numbers.take(), numbers.take(), numbers.take(), numbers.take(), numbers.take()];
  expect(taken).toEqual([0, 2, 4, 5, undefined]);
});
