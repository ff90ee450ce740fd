import fc from "fast-check";
import { expect, test } from "vitest";
import { address } from "../../test/arbitraries.ts";
import { bytes } from "../../test/bytes.ts";
import { Address } from "./address.ts";
import { formatPrefix, parsePrefix, prefixContains } from "./prefix.ts";

const written: [text: string, canonical: string][] = [
  ["0.0.0.0", "0.0.0.0"],
  ["192.168.150.100", "192.168.150.100"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["2001:DB8::A", "2001:db8::a"],
  ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
  // RFC 5952 section 4.2.2: a single zero group is not shortened.
  ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  // Section 4.2.3: the longest run, and of equal ones the first.
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
  ["::ffff:c000:201", "::ffff:192.0.2.1"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["::192.0.2.1", "::192.0.2.1"],
  ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
];

test.for(written)("%s is an address, written %s", ([text, canonical]) => {
  expect(Address.parse(text)?.toString()).toBe(canonical);
});

const refused: [why: string, text: string][] = [
  ["is empty", ""],
  ["has three octets", "10.0.1"],
  ["has five octets", "10.0.0.0.1"],
  ["has a leading zero, which some read as octal", "010.0.0.1"],
  ["has an octet above 255", "10.0.0.256"],
  ["has a hexadecimal octet", "0x0a.0.0.1"],
  ["has white space", " 10.0.0.1"],
  ["has an empty octet", "10..0.1"],
  ["has a sign", "10.0.0.-1"],
  ["is a number", "167772161"],
  ["has seven groups", "1:2:3:4:5:6:7"],
  ["has nine groups", "1:2:3:4:5:6:7:8:9"],
  ["has :: for no group", "1:2:3:4::5:6:7:8"],
  ["has :: twice", "1::2::3"],
  ["has :::", "1:::2"],
  ["has a group of five digits", "12345::"],
  ["begins with a single colon", ":1:2:3:4:5:6:7"],
  ["ends with a single colon", "1:2:3:4:5:6:7:"],
  ["ends with a single colon after ::", "1::2:"],
  ["has a zone", "fe80::1%eth0"],
  ["has brackets", "[::1]"],
  ["has a dotted quad that is not last", "1.2.3.4::"],
  ["has a dotted quad before ::", "::1.2.3.4:1"],
  ["has a bad dotted quad", "::ffff:1.2.3.04"],
  ["has no hexadecimal digits", "g::"],
];

test.for(refused)("what %s is no address", ([, text]) => {
  expect(Address.parse(text)).toBeUndefined();
});

const kinds: [text: string, kinds: string][] = [
  ["0.0.0.0", "unspecified"],
  ["0.1.2.3", ""],
  ["10.0.0.1", "unicast"],
  ["127.9.9.9", "unicast loopback"],
  ["169.254.0.1", "unicast link-local"],
  ["223.255.255.255", "unicast"],
  ["224.0.0.18", "multicast"],
  ["240.0.0.1", "unicast"],
  ["255.255.255.255", ""],
  ["::", "unspecified"],
  ["::1", "unicast loopback"],
  ["fe80::1", "unicast link-local"],
  ["febf::1", "unicast link-local"],
  ["fec0::1", "unicast"],
  ["ff02::1", "multicast"],
  ["2001:db8::1", "unicast"],
];

test.for(kinds)("%s is: %s", ([text, expected]) => {
  const it = Address.parse(text)!;
  const found = [
    it.isUnicast && "unicast",
    it.isMulticast && "multicast",
    it.isLoopback && "loopback",
    it.isLinkLocal && "link-local",
    it.isUnspecified && "unspecified",
  ].filter(Boolean);
  expect(found.join(" ")).toBe(expected);
});

test("an address goes through its text, its JSON and its bytes", () => {
  fc.assert(
    fc.property(address, (it) => {
      expect(Address.parse(it.toString())?.equals(it)).toBe(true);
      expect(JSON.parse(JSON.stringify(it))).toBe(it.toString());
      expect(Address.fromBytes(it.bytes(), 0, it.family).equals(it)).toBe(true);
    }),
  );
});

test("parse() of any text throws nothing", () => {
  const text = fc.string({ unit: fc.constantFrom(..."0 1 2 5 6 9 a f g . : % /".split(" "), " ") });
  fc.assert(fc.property(text, (it) => void Address.parse(it)));
});

test("equal, hash, compare and text agree", () => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      expect(a.equals(b)).toBe(a.toString() === b.toString() && a.family === b.family);
      expect(a.compare(b) === 0).toBe(a.equals(b));
      expect(Math.sign(a.compare(b))).toBe(-Math.sign(b.compare(a)) + 0);
      expect(Address.fromBytes(a.bytes(), 0, a.family).hash).toBe(a.hash);
    }),
  );
});

test("neighbours hash far apart", () => {
  const hosts = Array.from({ length: 4096 }, (_, host) => Address.inet(0x0a000000 + host));
  expect(new Set(hosts.map(({ hash }) => hash & 0xffff)).size).toBeGreaterThan(3800);
});

test("addresses order as numbers, IPv4 first", () => {
  const texts = ["9.0.0.0", "200.0.0.1", "::1", "1::", "8000::", "ffff::"];
  const shuffled = [5, 2, 0, 4, 1, 3].map((index) => Address.parse(texts[index]!)!);
  expect(shuffled.toSorted((a, b) => a.compare(b)).map(String)).toEqual(texts);
});

test("bytes() is the order of the wire, fold the kernel's XOR", () => {
  const it = Address.parse("2001:db8::a000:1")!;
  expect(it.bytes()).toEqual(bytes("2001 0db8 0000 0000 0000 0000 a000 0001"));
  expect(it.fold).toBe((0x20010db8 ^ 0xa0000001) | 0);
});

const prefixes: [prefix: string, address: string, contains: boolean][] = [
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["192.168.1.77/24", "192.168.1.1", true],
  ["0.0.0.0/0", "255.255.255.255", true],
  ["10.0.0.1/32", "10.0.0.1", true],
  ["10.0.0.1", "10.0.0.2", false],
  ["2001:db8::/33", "2001:db8:7fff::1", true],
  ["2001:db8::/33", "2001:db8:8000::1", false],
  ["::/0", "10.0.0.1", false],
  ["2001:db8::1", "2001:db8::1", true],
];

test.for(prefixes)("%s contains %s: %s", ([prefix, text, contains]) => {
  expect(prefixContains(parsePrefix(prefix)!, Address.parse(text)!)).toBe(contains);
});

test.for(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "::/129", "10.0.0.0/-1", "/8", "10/8/8"])(
  "%s is no prefix",
  (text) => {
    expect(parsePrefix(text)).toBeUndefined();
  },
);

test("a prefix goes through its text", () => {
  expect(formatPrefix(parsePrefix("10.1.2.3/8")!)).toBe("10.1.2.3/8");
  expect(formatPrefix(parsePrefix("2001:DB8::")!)).toBe("2001:db8::/128");
});
