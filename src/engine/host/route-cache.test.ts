import fc from "fast-check";
import { expect, test } from "vitest";
import { Address } from "../../net/address.ts";
import { RouteCache } from "./route-cache.ts";

const CLIENT = Address.parse("192.0.2.1")!;
const VIP = Address.parse("203.0.113.1")!;
const CLIENT6 = Address.parse("2001:db8::1")!;

test("an answer is for its destination, source and mark alone", () => {
  const cache = new RouteCache();
  cache.set(CLIENT, VIP, 7, "local", 1);
  expect(cache.find(CLIENT, VIP, 7)).toBe("local");
  expect(cache.find(CLIENT, undefined, 7)).toBeUndefined();
  expect(cache.find(CLIENT, CLIENT, 7)).toBeUndefined();
  expect(cache.find(CLIENT, VIP, 0)).toBeUndefined();
  expect(cache.find(VIP, VIP, 7)).toBeUndefined();
  expect(cache.find(CLIENT6, VIP, 7)).toBeUndefined();
});

test("an unspecified source is not the same as none", () => {
  const cache = new RouteCache();
  cache.set(CLIENT, Address.inet(0), 0, "local", 1);
  expect(cache.find(CLIENT, undefined, 0)).toBeUndefined();
});

test("a mark may have its highest bit", () => {
  const cache = new RouteCache();
  cache.set(CLIENT, undefined, 0xffff_fff0, "local", 1);
  expect(cache.find(CLIENT, undefined, 0xffff_fff0)).toBe("local");
});

test("an answer holds for its ticks, and can be renewed", () => {
  const cache = new RouteCache();
  cache.set(CLIENT, undefined, 0, "unreachable", 2);
  cache.tick();
  expect(cache.find(CLIENT, undefined, 0)).toBe("unreachable");
  cache.tick();
  expect(cache.find(CLIENT, undefined, 0)).toBeUndefined();
  cache.set(CLIENT, undefined, 0, "local", 1);
  expect(cache.find(CLIENT, undefined, 0)).toBe("local");
});

test("nothing is left after clear()", () => {
  const cache = new RouteCache();
  cache.set(CLIENT, undefined, 0, "local", 9);
  cache.clear();
  expect(cache.find(CLIENT, undefined, 0)).toBeUndefined();
});

test("whatever is put in, what comes out is what was put in last for the question", () => {
  const address = fc.integer({ min: 0, max: 40 }).map((word) => Address.inet(word));
  const question = fc.tuple(
    address,
    fc.option(address, { nil: undefined }),
    fc.integer({ min: 0, max: 2 }),
  );
  const put = fc.tuple(question, fc.constantFrom("local" as const, "unreachable" as const));
  fc.assert(
    fc.property(fc.array(put, { maxLength: 200 }), (puts) => {
      const cache = new RouteCache(16);
      const last = new Map<string, string>();
      for (const [[destination, source, mark], answer] of puts) {
        cache.set(destination, source, mark, answer, 1);
        const key = `${destination.toString()} ${source?.toString()} ${mark}`;
        last.set(key, answer);
        expect(cache.find(destination, source, mark)).toBe(answer);
      }
      for (const [[destination, source, mark]] of puts) {
        const key = `${destination.toString()} ${source?.toString()} ${mark}`;
        expect([undefined, last.get(key)]).toContain(cache.find(destination, source, mark));
      }
    }),
  );
});
