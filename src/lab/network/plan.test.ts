import { expect, test } from "vitest";
import { addressOn, macOf, planOf } from "./plan.ts";

test("IPv4 is as the handbook draws it", () => {
  const plan = planOf("dr", "inet");
  expect(plan).toMatchObject({ vip: "192.168.150.100", client: "192.168.150.1", prefixLength: 24 });
  expect(plan.realServers.map(({ rip }) => rip)).toEqual(["192.168.150.12", "192.168.150.13"]);
});

test("over IPv6 everybody keeps their number", () => {
  const plan = planOf("nat", "inet6");
  expect(plan).toMatchObject({ vip: "2001:db8::100", client: "2001:db8::1", prefixLength: 64 });
  expect(plan.realServers).toEqual([
    { host: "node02", rip: "fd00:150::12" },
    { host: "node03", rip: "fd00:150::13" },
  ]);
  expect(addressOn(plan, "node01", "lan")).toBe("fd00:150::11");
  expect(addressOn(plan, "node01", "outside")).toBe("2001:db8::11");
});

test("no two cards have the same link-layer address", () => {
  for (const family of ["inet", "inet6"] as const) {
    const cards = planOf("nat", family).hosts.flatMap((host) => host.cards);
    expect(new Set(cards.map(({ address }) => macOf(address))).size).toBe(cards.length);
  }
  expect(macOf("192.168.150.12")).toBe("02:00:c0:a8:96:0c");
  expect(macOf("fd00:150::12")).toBe("02:00:01:50:00:12");
});
