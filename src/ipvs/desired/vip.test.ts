import { expect, test } from "vitest";
import { Address } from "../../net/address.ts";
import { EMPTY_STATE } from "./desired-state.ts";
import { differences } from "./differences.ts";
import { ANNOUNCING_DEFAULT, NO_VIPS, type VipPlan, withVips } from "./vip.ts";
import { reconcile, type WantedState } from "./wanted.ts";

function vip(text: string, more: Partial<VipPlan> = {}): VipPlan {
  const address = Address.parse(text)!;
  return {
    address,
    prefixLength: address.family === "inet" ? 32 : 128,
    interfaceName: "eth0",
    label: undefined,
    announcing: ANNOUNCING_DEFAULT,
    ...more,
  };
}

function wanting(vips: readonly VipPlan[] | undefined, keepsOthers = false): WantedState {
  return { services: [], timeouts: {}, sysctls: {}, keepsOthers, vips };
}

const A = vip("192.0.2.10");
const B = vip("2001:db8::10", { announcing: undefined });

test("what is the same stays the same, what is not said is left alone", () => {
  const one = reconcile(EMPTY_STATE, wanting([A, B]));
  expect([...one.vips.keys()]).toEqual(["192.0.2.10", "2001:db8::10"]);
  expect(reconcile(one, wanting([vip("192.0.2.10"), B]))).toBe(one);
  expect(reconcile(one, wanting(undefined))).toBe(one);
  expect(reconcile(one, wanting([], true))).toBe(one);
  expect(reconcile(one, wanting([])).vips.size).toBe(0);
});

test("what differs is told fact by fact", () => {
  const before = reconcile(EMPTY_STATE, wanting([A, B]));
  const changed = vip("192.0.2.10", {
    prefixLength: 24,
    label: "eth0:web",
    announcing: { count: 1, againMs: 0, refreshMs: 60_000 },
  });
  const after = reconcile(before, wanting([changed]));
  expect(differences(before, after)).toEqual([
    {
      action: "change",
      what: "vip",
      vip: "192.0.2.10",
      facts: [
        { name: "prefix", before: "/32", after: "/24" },
        {
          name: "announce",
          before: "5 at once, again after 5000 ms",
          after: "1 at once, one every 60000 ms",
        },
        { name: "label", before: undefined, after: "eth0:web" },
      ],
    },
    expect.objectContaining({ action: "remove", what: "vip", vip: "2001:db8::10" }),
  ]);
});

const refusals: [why: string, plans: readonly VipPlan[]][] = [
  ["it is there twice", [A, vip("192.0.2.10", { interfaceName: "eth1" })]],
  ["it is not a unicast address", [vip("224.0.0.1")]],
  ["it is a link-local address", [vip("fe80::1")]],
  ["its prefix /33 is not in /1 to /32", [vip("192.0.2.1", { prefixLength: 33 })]],
  ["its prefix /0 is not in /1 to /128", [vip("2001:db8::1", { prefixLength: 0 })]],
  ['"eth 0" is no name of an interface', [vip("192.0.2.1", { interfaceName: "eth 0" })]],
  ['"../x" is no name of an interface', [vip("192.0.2.1", { interfaceName: "../x" })]],
  [
    '"eth0:a-label-that-is-too-long" is no name of a label',
    [vip("192.0.2.1", { label: "eth0:a-label-that-is-too-long" })],
  ],
  ["it is IPv6, which has no labels", [vip("2001:db8::1", { label: "eth0:1" })]],
];

test.for(refusals)("it is refused that %s", ([why, plans]) => {
  expect(() => withVips(NO_VIPS, plans, false)).toThrow(
    `Invalid VIP: ${plans[0]!.address}: ${why}`,
  );
});
