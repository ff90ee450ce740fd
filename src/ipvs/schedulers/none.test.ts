import { expect, test } from "vitest";
import { candidates, request } from "../../../test/builders.ts";
import { none } from "./none.ts";

test("nobody gets anything", () => {
  expect(none().pick(request(), candidates("w1 0/0, w5 0/0"))).toBeUndefined();
});
