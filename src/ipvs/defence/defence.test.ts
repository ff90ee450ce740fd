import { expect, test } from "vitest";
import type { Host } from "../host.ts";
import { DEFAULT_SYSCTLS, type Sysctls } from "../sysctls.ts";
import { Defence } from "./defence.ts";

function defence(pages: () => number): Defence {
  const host: Host = {
    generation: 1,
    isLocal: () => false,
    isForwarding: () => true,
    route: () => "unreachable",
    routeFrom: () => "unreachable",
    mayTell: () => true,
    availablePages: pages,
  };
  return new Defence(host);
}

function sysctls(changes: Partial<Sysctls>): Sysctls {
  return { ...DEFAULT_SYSCTLS, ...changes };
}

test("of 200 packets 180 go on with the default rate, the first not", () => {
  const tested = defence(() => 0);
  tested.apply(sysctls({ drop_packet: 3 }));
  const dropped = Array.from({ length: 200 }, () => tested.dropsPacket());
  expect(dropped.filter((each) => !each)).toHaveLength(180);
  expect(dropped[0]).toBe(true);
  expect(dropped[10]).toBe(true);
});

test("memory is looked at only for modes that follow it", () => {
  let looks = 0;
  const tested = defence(() => {
    looks++;
    return 5000;
  });
  tested.update();
  tested.apply(sysctls({ drop_entry: 3, drop_packet: 3, secure_tcp: 3 }));
  tested.update();
  expect(looks).toBe(0);
  tested.apply(sysctls({ drop_entry: 1 }));
  expect(looks).toBe(1);
  tested.update();
  expect(looks).toBe(2);
});

test("a mode that turned itself stays until the operator sets another", () => {
  const tested = defence(() => 1000);
  const wanted = sysctls({ drop_entry: 1, secure_tcp: 2 });
  tested.apply(wanted);
  expect(tested.sysctls).toEqual({ ...wanted, drop_entry: 2 });
  expect([tested.isDroppingEntries, tested.isSecureTcp]).toEqual([true, true]);
  tested.apply({ ...wanted, amemthresh: 1000 });
  expect(tested.sysctls.drop_entry).toBe(2);
  tested.update();
  expect(tested.sysctls).toEqual({ ...wanted, amemthresh: 1000, secure_tcp: 1 });
  tested.apply(sysctls({}));
  expect(tested.sysctls).toEqual(DEFAULT_SYSCTLS);
  expect([tested.isDroppingEntries, tested.isSecureTcp]).toEqual([false, false]);
});
