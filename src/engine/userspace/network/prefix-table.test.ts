import fc from "fast-check";
import { expect, test } from "vitest";
import { Address } from "../../../net/address.ts";
import { type Prefix, parsePrefix, prefixContains } from "../../../net/prefix.ts";
import { PrefixTable } from "./prefix-table.ts";

const inet = fc.integer().map((word) => Address.inet(word & 0xc0f0_0003));
const inet6 = fc
  .array(fc.integer(), { minLength: 4, maxLength: 4 })
  .map(([a = 0, b = 0, c = 0, d = 0]) =>
    Address.inet6(a & 0x3000_0000, b & 1, c & 3, d & 0x8000_0001),
  );

test.each([
  ["IPv4", inet, 32],
  ["IPv6", inet6, 128],
] as const)("finds what a search through all %s prefixes finds", (_, addresses, bits) => {
  const prefixes = fc.record({ address: addresses, length: fc.integer({ min: 0, max: bits }) });
  fc.assert(
    fc.property(fc.array(prefixes), fc.array(addresses), (entries, lookups) => {
      const table = new PrefixTable<Prefix>();
      for (const entry of entries) table.set(entry, entry);
      for (const address of lookups) {
        const longest = entries
          .filter((entry) => prefixContains(entry, address))
          .reduce((best, entry) => Math.max(best, entry.length), -1);
        expect(table.find(address)?.length ?? -1).toBe(longest);
      }
    }),
  );
});

test("a prefix has one value, the last", () => {
  const table = new PrefixTable<string>();
  table.set(parsePrefix("10.0.0.0/8")!, "first");
  table.set(parsePrefix("10.1.2.3/8")!, "second");
  expect(table.get(parsePrefix("10.0.0.0/8")!)).toBe("second");
  expect(table.find(Address.parse("10.9.9.9")!)).toBe("second");
});
