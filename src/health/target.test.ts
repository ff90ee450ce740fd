import { expect, test } from "vitest";
import { address } from "../../test/builders.ts";
import type { CheckPlan } from "../ipvs/desired/health.ts";
import type { DestinationPlan, Forwarding, Mark, ServiceKey } from "../ipvs/desired/service.ts";
import { toPort } from "../net/port.ts";
import { targetOf, type WatchTarget } from "./target.ts";

const TUNNEL: Forwarding = { kind: "tunnel", encapsulation: "ipip" };

const PLAN: CheckPlan = {
  name: undefined,
  type: "tcp",
  settings: {},
  intervalMs: 1_000,
  jitterMs: 0,
  timeoutMs: 1_000,
  retryMs: 1_000,
  backoffMs: 1_000,
  rise: 1,
  fall: 1,
  start: "up",
  address: undefined,
  port: undefined,
  via: undefined,
};

const KEY: ServiceKey = {
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: address("10.0.0.100"), port: toPort(80) },
};
const MARK: ServiceKey = { kind: "mark", family: "inet", mark: 7 as Mark };

function target(
  check: Partial<CheckPlan>,
  forwarding: Forwarding["kind"],
  port = 80,
  key = KEY,
): WatchTarget {
  const destination: DestinationPlan = {
    endpoint: { address: address("10.0.1.1"), port: toPort(port) },
    forwarding: forwarding === "tunnel" ? TUNNEL : { kind: forwarding },
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    revision: 0,
  };
  return targetOf({ ...PLAN, ...check }, destination, key);
}

const ROUTE = { address: "10.0.1.1", port: 80, through: { vip: "10.0.0.100" } };
const STRAIGHT = { address: "10.0.1.1", port: 80 };

const rows: [why: string, found: WatchTarget, expected: WatchTarget][] = [
  ["direct routing: through the VIP", target({}, "route"), ROUTE],
  ["a port that the kernel would not write is not asked", target({}, "route", 8080), ROUTE],
  ["the check's own port is", target({ port: 81 }, "route"), { ...ROUTE, port: 81 }],
  [
    "a tunnel: through it",
    target({}, "tunnel"),
    { ...STRAIGHT, through: { vip: "10.0.0.100", tunnel: TUNNEL } },
  ],
  ["masquerading: to the server", target({}, "masquerade", 8080), { ...STRAIGHT, port: 8080 }],
  ["masquerading: whatever is said", target({ via: "vip" }, "masquerade"), STRAIGHT],
  ["straight when that is said", target({ via: "direct" }, "route"), STRAIGHT],
  ["a mark has no VIP that is known", target({}, "route", 80, MARK), STRAIGHT],
  [
    "but for what its check says",
    target({ via: "10.0.0.101", port: 443 }, "route", 80, MARK),
    { address: "10.0.1.1", port: 443, through: { vip: "10.0.0.101" } },
  ],
  [
    "through another VIP than its own, when that is said",
    target({ via: "10.0.0.101" }, "route"),
    { ...STRAIGHT, through: { vip: "10.0.0.101" } },
  ],
  [
    "an echo request, too, which has no port",
    target({ type: "icmp" }, "route"),
    { ...STRAIGHT, through: { vip: "10.0.0.100", isPing: true } },
  ],
  ["programs have their own ways", target({ type: "exec" }, "route"), STRAIGHT],
  [
    "another address is asked as such",
    target({ address: "10.0.2.2" }, "route"),
    { address: "10.0.2.2", port: 80 },
  ],
  [
    "another address through the VIP, when that is said",
    target({ address: "10.0.2.2", via: "vip" }, "route"),
    { ...ROUTE, address: "10.0.2.2" },
  ],
];

test.for(rows)("%s", ([, found, expected]) => {
  expect(found).toEqual(expected);
});
