import { expect, test } from "vitest";
import type { WireWantedService } from "../../../src/control/wanted-wire.ts";
import type { WireServiceKey } from "../../../src/control/wire.ts";
import { speaker } from "../frame/speaker.ts";
import { draft, type Proposal, propose, sayProposal, stage, unstage } from "./draft.ts";
import { WORDS } from "./vocabulary.ts";

const say = speaker(WORDS, () => "en");

const key: WireServiceKey = {
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: "10.0.0.1", port: 80 },
};
const [first, second] = ["10.0.0.2", "10.0.0.3"].map((address) => ({ address, port: 80 })) as [
  { address: string; port: number },
  { address: string; port: number },
];
const route = { kind: "route" } as const;
const service: WireWantedService = {
  key,
  scheduler: "rr",
  schedulerFlags: [],
  onePacket: false,
  persistence: null,
  persistenceEngine: null,
  destinations: [
    { endpoint: first, forwarding: route, weight: 1, upperThreshold: 0, lowerThreshold: 0 },
  ],
};

// biome-ignore format: a table
const proposals: [proposal: Proposal, says: string, servers: [string, number | null][], scheduler: string][] = [
  [{ kind: "weight", service: key, destination: first, weight: 7 }, "tcp:10.0.0.1:80: 10.0.0.2:80 weighs 7", [["10.0.0.2", 7]], "rr"],
  [{ kind: "remove", service: key, destination: first }, "tcp:10.0.0.1:80: 10.0.0.2:80 goes", [], "rr"],
  [{ kind: "add", service: key, destination: second, weight: 3, forwarding: route }, "tcp:10.0.0.1:80: 10.0.0.3:80 comes, route, weight 3", [["10.0.0.2", 1], ["10.0.0.3", 3]], "rr"],
  [{ kind: "scheduler", service: key, scheduler: "wlc" }, "tcp:10.0.0.1:80: scheduler wlc", [["10.0.0.2", 1]], "wlc"],
];

test.each(proposals)("%j is proposed as %s", (proposal, says, servers, scheduler) => {
  expect(sayProposal(proposal, say)).toBe(says);
  const [proposed] = propose([service], [proposal]);
  expect(proposed!.destinations.map((each) => [each.endpoint.address, each.weight])).toEqual(
    servers,
  );
  expect(proposed!.scheduler).toBe(scheduler);
});

test("a service that nobody proposes anything about stays the same object", () => {
  const other = { ...service, key: { ...key, protocol: "udp" as const } };
  expect(propose([other], [{ kind: "remove", service: key, destination: first }])[0]).toBe(other);
});

test("the last proposal about a server is the one that counts, and can be taken back", () => {
  stage({ kind: "weight", service: key, destination: first, weight: 7 });
  stage({ kind: "weight", service: key, destination: second, weight: 8 });
  stage({ kind: "remove", service: key, destination: first });
  expect(draft.value.map(({ kind }) => kind)).toEqual(["weight", "remove"]);
  for (const each of draft.value) unstage(each);
  expect(draft.value).toEqual([]);
});

const other: WireServiceKey = { kind: "mark", family: "inet6", mark: 7 };
const comes = {
  kind: "service",
  service: other,
  scheduler: "rr",
  persistentSeconds: 300,
} as const;
const server = {
  kind: "add",
  service: other,
  destination: second,
  weight: 2,
  forwarding: route,
} as const;

test("a new service comes with the servers that are proposed for it", () => {
  expect(sayProposal(comes, say)).toBe("fwmark6:7 comes, scheduler rr");
  const proposed = propose([service], [comes, server]);
  expect(proposed).toHaveLength(2);
  expect(proposed[0]).toBe(service);
  expect(proposed[1]).toMatchObject({
    key: other,
    scheduler: "rr",
    persistence: { timeoutSeconds: 300, prefixLength: 128 },
    destinations: [{ endpoint: second, weight: 2 }],
  });
  // One that somebody else was quicker to add is not there twice.
  expect(propose(proposed, [comes])).toHaveLength(2);
});

test("a service goes", () => {
  expect(propose([service], [{ kind: "remove-service", service: key }])).toEqual([]);
});

test("a new service that is taken back takes its servers with it", () => {
  stage(comes);
  stage(server);
  stage({ kind: "weight", service: key, destination: first, weight: 2 });
  unstage(comes);
  expect(draft.value.map(({ kind }) => kind)).toEqual(["weight"]);
  draft.set([]);
});
