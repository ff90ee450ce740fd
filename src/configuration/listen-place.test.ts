import { expect, test } from "vitest";
import { parseListenPlace } from "./listen-place.ts";

test.each([
  ["9469", { address: "127.0.0.1", port: 9469 }],
  ["10.0.0.1:9469", { address: "10.0.0.1", port: 9469 }],
  ["0.0.0.0:1", { address: "0.0.0.0", port: 1 }],
  ["[::1]:9469", { address: "::1", port: 9469 }],
  ["::1:9469", undefined],
  ["[10.0.0.1]:9469", undefined],
  ["localhost:9469", undefined],
  ["10.0.0.1", undefined],
  ["0", undefined],
  ["65536", undefined],
  ["", undefined],
])("'%s' is %o", (text, place) => {
  expect(parseListenPlace(text)).toEqual(place);
});
