import { expect, test } from "vitest";
import { ManualClock } from "../../base/clock.ts";
import type { Trouble } from "../../ipvs/forward/notices.ts";
import { Address } from "../../net/address.ts";
import { IcmpLimits, type IcmpSettings } from "./icmp-limits.ts";
import { DEFAULT_ICMP_SETTINGS } from "./icmp-settings.ts";

const CLIENT = Address.parse("192.0.2.1")!;
const CLIENT6 = Address.parse("2001:db8::1")!;

const SELF = Address.parse("192.0.2.250")!;
const NOWHERE = Address.parse("192.0.2.251")!;
const WAYS: Readonly<Record<number, "inside" | "nowhere">> = {
  [SELF.w3]: "inside",
  [NOWHERE.w3]: "nowhere",
};

/** Limits of a host, asked by a clock that the test moves. */
function scene(
  changed: Partial<IcmpSettings> = {},
  { length = 128, cost = 1, peersMax = 100 } = {},
) {
  const clock = new ManualClock();
  clock.advance(1_000_000);
  const limits = new IcmpLimits({
    clock,
    settings: () => ({ ...DEFAULT_ICMP_SETTINGS, ...changed }),
    wayTo: ({ w3 }) => WAYS[w3] ?? "outside",
    prefixLength: () => length,
    cost: () => cost,
    peersMax,
  });
  /** How many of so many are allowed at once. */
  const told = (count: number, recipient = CLIENT, kind: Trouble["kind"] = "port-unreachable") => {
    let allowed = 0;
    for (let each = 0; each < count; each++) if (limits.mayTell(recipient, kind)) allowed++;
    return allowed;
  };
  return { clock, told };
}

test("thirty in half a second get six answers, then one a second", () => {
  const { clock, told } = scene();
  let allowed = 0;
  for (let each = 0; each < 30; each++) {
    allowed += told(1);
    clock.advance(17);
  }
  expect(allowed).toBe(6);
  let later = 0;
  for (let each = 0; each < 100; each++) {
    clock.advance(100);
    later += told(1);
  }
  expect(later).toBe(10);
});

// biome-ignore format: a table
const bursts: [what: string, settings: Partial<IcmpSettings>, kind: Trouble["kind"], recipient: Address, allowed: number][] = [
  ["what is not in the mask",            { rateMask: 0 },       "port-unreachable", CLIENT,  1000],
  ["time exceeded in the mask",          { rateMask: 1 << 11 }, "time-exceeded",    CLIENT,  6],
  ["unreachable when only time is",      { rateMask: 1 << 11 }, "host-unreachable", CLIENT,  1000],
  ["path MTU discovery",                 {},                    "too-big",          CLIENT,  1000],
  ["a limit of 0",                       { rateLimitMs: 0, messagesPerSecond: 10_000, messagesBurst: 5_000 }, "port-unreachable", CLIENT, 1000],
  ["all together, with no limit a peer", { rateLimitMs: 0 },    "port-unreachable", CLIENT,  50],
  ["nothing a second",                   { messagesPerSecond: 0 }, "port-unreachable", CLIENT, 0],
  ["the host itself",                    {},                    "port-unreachable", SELF,    50],
  ["the loopback",                       {},                    "port-unreachable", Address.inet(0x7f000001), 1000],
  ["one to whom there is no way",        {},                    "port-unreachable", NOWHERE, 0],
  ["IPv6",                               {},                    "port-unreachable", CLIENT6, 6],
  ["IPv6 packet too big",                {},                    "too-big",          CLIENT6, 1000],
  ["IPv6 packet too big in the mask",    { limitedTypes6: new Set([2]) }, "too-big", CLIENT6, 6],
  ["IPv6 has its own limit",             { rateLimitMs: 0 },    "time-exceeded",    CLIENT6, 6],
];

test.for(bursts)("a thousand at once: %s", ([, settings, kind, recipient, allowed]) => {
  expect(scene(settings).told(1_000, recipient, kind)).toBe(allowed);
});

// biome-ignore format: a table
const prefixes: [length: number, answersInTenSeconds: number][] = [
  [128, 10], [127, 10], [96, 20], [64, 40], [48, 40], [0, 160],
];

test.for(prefixes)("an IPv6 client behind a /%s gets %s in ten seconds", ([length, answers]) => {
  const { clock, told } = scene({}, { length });
  told(1_000, CLIENT6);
  let allowed = 0;
  for (let each = 0; each < 1_000; each++) {
    clock.advance(10);
    allowed += told(1, CLIENT6);
  }
  // A limit that is not a whole number of steps of the clock is met a step later.
  expect(allowed).toBeGreaterThan(answers * 0.85);
  expect(allowed).toBeLessThanOrEqual(answers + 1);
});

test("what all may send grows again by a thousand a second, to fifty at most", () => {
  const { clock, told } = scene({ rateLimitMs: 0 });
  expect(told(1_000)).toBe(50);
  clock.advance(19);
  expect(told(1_000)).toBe(0);
  clock.advance(1);
  expect(told(1_000)).toBe(20);
  clock.advance(10_000);
  expect(told(1_000)).toBe(50);
});

test("what a peer may not be told costs nothing of what all may", () => {
  const { told } = scene();
  told(1_000);
  for (let host = 0; host < 7; host++) expect(told(6, Address.inet(0xc0000210 + host))).toBe(6);
});

test("a message may cost nothing", () => {
  expect(scene({ rateLimitMs: 0 }, { cost: 0 }).told(1_000)).toBe(1_000);
});

test("the peer that was asked about longest ago is forgotten for a new one", () => {
  const { told } = scene({ messagesPerSecond: 1e6, messagesBurst: 1e6 }, { peersMax: 2 });
  const [a, b, c] = [1, 2, 3].map((host) => Address.inet(0xc0000200 + host));
  expect(told(10, a)).toBe(6);
  expect(told(10, b)).toBe(6);
  expect(told(10, a)).toBe(0);
  expect(told(10, c)).toBe(6);
  expect(told(10, a)).toBe(0);
  expect(told(10, b)).toBe(6);
});
