import { expect, test } from "vitest";
import { DEFAULT_SYSCTLS, type Sysctls } from "../desired/sysctls.ts";
import type { Host } from "../host.ts";
import { Defence } from "./defence.ts";

function defence(pages: () => number, fill: () => number = () => 0): Defence {
  const host: Host = {
    generation: 1,
    isLocal: () => false,
    isForwarding: () => true,
    route: () => "unreachable",
    routeFrom: () => "unreachable",
    mayTell: () => true,
    availablePages: pages,
  };
  return new Defence(host, fill, 1);
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

test("drop_entry follows the table's fill, too, and alone does", () => {
  let fill = 0.74;
  const tested = defence(
    () => 100_000,
    () => fill,
  );
  tested.apply(sysctls({ drop_entry: 1, drop_packet: 1, secure_tcp: 1 }));
  const modes = () => {
    tested.update();
    const { drop_entry, drop_packet, secure_tcp } = tested.sysctls;
    return [drop_entry, drop_packet, secure_tcp];
  };
  expect(modes()).toEqual([1, 1, 1]);
  fill = 0.75;
  expect(modes()).toEqual([2, 1, 1]);
  fill = 0.5;
  expect(modes()).toEqual([1, 1, 1]);
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
