import { expect, test } from "vitest";
import { Address } from "../../net/address.ts";
import { givePorts, type PortsGiven } from "./path-ports.ts";
import { pathName, type VipPath } from "./vip-path.ts";

const path = (vip: string, server: string): VipPath => ({
  vip: Address.parse(vip)!,
  server: Address.parse(server)!,
});
const paths = (...servers: readonly number[]): VipPath[] =>
  servers.map((server) => path("10.0.0.100", `10.0.1.${server}`));
const told = ({ paths: given }: PortsGiven): string[] =>
  given.map((each) => `${pathName(each)}: ${each.ports.join(" ")}`);

const NONE = new Map();
const FREE = (): boolean => false;
const upTo = (last: number) => ({ first: 61_000, last });

test("a path has four ports, no two of one VIP's have the same", () => {
  expect(told(givePorts(paths(1, 2), NONE, upTo(65_535), FREE))).toEqual([
    "10.0.0.100 10.0.1.1: 61000 61001 61002 61003",
    "10.0.0.100 10.0.1.2: 61004 61005 61006 61007",
  ]);
});

test("paths of other VIPs may have the same ports", () => {
  const wanted = [path("10.0.0.100", "10.0.1.1"), path("2001:db8::100", "2001:db8::1")];
  expect(told(givePorts(wanted, NONE, upTo(65_535), FREE))).toEqual([
    "10.0.0.100 10.0.1.1: 61000 61001 61002 61003",
    "2001:db8::100 2001:db8::1: 61000 61001 61002 61003",
  ]);
});

test("paths of one server have different ports, too: they alone tell which VIP is meant", () => {
  const wanted = [path("10.0.0.100", "10.0.1.1"), path("10.0.0.101", "10.0.1.1")];
  expect(told(givePorts(wanted, NONE, upTo(65_535), FREE))).toEqual([
    "10.0.0.100 10.0.1.1: 61000 61001 61002 61003",
    "10.0.0.101 10.0.1.1: 61004 61005 61006 61007",
  ]);
});

test("a path that is wanted twice is one", () => {
  expect(told(givePorts(paths(1, 1), NONE, upTo(65_535), FREE))).toHaveLength(1);
});

test("ports that others use are left out", () => {
  const isTaken = (port: number): boolean => port % 2 === 0;
  expect(told(givePorts(paths(1), NONE, upTo(65_535), isTaken))).toEqual([
    "10.0.0.100 10.0.1.1: 61001 61003 61005 61007",
  ]);
});

test("who had ports keeps them; others get those that are free", () => {
  const before = new Map(
    givePorts(paths(1, 2, 3), NONE, upTo(65_535), FREE).paths.map((each) => [pathName(each), each]),
  );
  expect(told(givePorts(paths(3, 4), before, upTo(65_535), FREE))).toEqual([
    "10.0.0.100 10.0.1.3: 61008 61009 61010 61011",
    "10.0.0.100 10.0.1.4: 61000 61001 61002 61003",
  ]);
});

test("thousands of servers of one VIP share what there is", () => {
  const servers = Array.from({ length: 2_000 }, (_, index) =>
    path("10.0.0.100", `10.1.${index >> 8}.${index & 255}`),
  );
  const { paths: given, refused } = givePorts(servers, NONE, upTo(65_535), FREE);
  expect(refused).toEqual([]);
  expect(new Set(given.flatMap(({ ports }) => ports)).size).toBe(4_000);
});

test("where there are few ports each path has fewer, and at last some have none", () => {
  const first = givePorts(paths(1), NONE, upTo(61_003), FREE);
  const before = new Map(first.paths.map((each) => [pathName(each), each]));
  expect(told(givePorts(paths(1, 2), before, upTo(61_003), FREE))).toEqual([
    "10.0.0.100 10.0.1.1: 61000 61001",
    "10.0.0.100 10.0.1.2: 61002 61003",
  ]);
  const crowded = givePorts(paths(1, 2, 3, 4, 5), before, upTo(61_003), FREE);
  expect(crowded.paths.flatMap(({ ports }) => ports).toSorted((a, b) => a - b)).toEqual([
    61_000, 61_001, 61_002, 61_003,
  ]);
  expect(crowded.refused.map(pathName)).toEqual(["10.0.0.100 10.0.1.5"]);
});
