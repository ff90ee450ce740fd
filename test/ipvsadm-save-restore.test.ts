import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  destinationFromWire,
  serviceFromWire,
  type WireDestination,
  type WireForwarding,
  type WirePersistence,
  type WireServiceKey,
  type WireServiceRecord,
} from "../src/control/wire.ts";
import {
  addDestination,
  addService,
  type DesiredState,
  EMPTY_STATE,
} from "../src/ipvs/desired/desired-state.ts";
import { LbError } from "../src/ipvs/desired/errors.ts";
import { SCHEDULERS } from "../src/ipvs/schedulers/index.ts";
import { type ApiBench, openApiBench } from "./api-bench.ts";
import { ipvsadm } from "./ipvsadm-bench.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await openApiBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

// What `-S` cannot say is left out: thresholds, marks above 2^31 - 1, flag-3 of sh and mh, `-o` of TCP.

const port = fc.integer({ min: 1, max: 65_535 });

const inet = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
  .map((bytes) => bytes.join("."));

const inet6 = fc
  .tuple(fc.nat(0xffff), fc.integer({ min: 1, max: 0xffff }))
  .map(([high, low]) => `2001:db8:${high.toString(16)}::${low.toString(16)}`);

const key: fc.Arbitrary<WireServiceKey> = fc.oneof(
  fc.record({
    kind: fc.constant("endpoint" as const),
    protocol: fc.constantFrom("tcp" as const, "udp" as const, "sctp" as const),
    endpoint: fc.record({ address: fc.oneof(inet, inet6), port }),
  }),
  fc.record({
    kind: fc.constant("mark" as const),
    family: fc.constantFrom("inet" as const, "inet6" as const),
    mark: fc.integer({ min: 1, max: 0x7fff_ffff }),
  }),
);

const timeoutSeconds = fc.integer({ min: 1, max: 2_678_400 });

function persistence(forInet6: boolean): fc.Arbitrary<WirePersistence> {
  return forInet6
    ? fc.record({ timeoutSeconds, prefixLength: fc.integer({ min: 1, max: 128 }) })
    : fc.record({ timeoutSeconds, netmask: inet });
}

function isInet6(of: WireServiceKey): boolean {
  return of.kind === "mark" ? of.family === "inet6" : of.endpoint.address.includes(":");
}

const service: fc.Arbitrary<WireServiceRecord> = key.chain((of) =>
  fc.record({
    key: fc.constant(of),
    scheduler: fc.constantFrom(...Object.keys(SCHEDULERS)),
    schedulerFlags: fc.subarray(["fallback", "port"] as const),
    onePacket: of.kind === "mark" || of.protocol === "udp" ? fc.boolean() : fc.constant(false),
    persistence: fc.option(persistence(isInet6(of))),
    persistenceEngine: fc.constantFrom("sip", null),
  }),
);

const forwarding: fc.Arbitrary<WireForwarding> = fc.constantFrom<WireForwarding>(
  { kind: "masquerade" },
  { kind: "route" },
  { kind: "tunnel", encapsulation: "ipip" },
  { kind: "tunnel", encapsulation: "gre", checksum: "none" },
  { kind: "tunnel", encapsulation: "gre", checksum: "full" },
  { kind: "tunnel", encapsulation: "gue", port: 6080, checksum: "none" },
  { kind: "tunnel", encapsulation: "gue", port: 1, checksum: "full" },
  { kind: "tunnel", encapsulation: "gue", port: 65_535, checksum: "remote" },
);

/** Direct routing and tunnels have the service's port, as ipvsadm sees to. */
function destination(of: WireServiceKey): fc.Arbitrary<WireDestination> {
  return fc
    .record({
      endpoint: fc.record({ address: isInet6(of) ? inet6 : inet, port }),
      forwarding,
      weight: fc.integer({ min: 0, max: 0x7fff_ffff }),
      upperThreshold: fc.constant(0),
      lowerThreshold: fc.constant(0),
    })
    .map((wire) => {
      if (of.kind === "mark" || wire.forwarding.kind === "masquerade") return wire;
      return { ...wire, endpoint: { ...wire.endpoint, port: of.endpoint.port } };
    });
}

const table = fc.array(
  service.chain((record) =>
    fc.record({
      record: fc.constant(record),
      destinations: fc.array(destination(record.key), { maxLength: 4 }),
    }),
  ),
  { maxLength: 6 },
);

test("what -S prints, -R makes again", async () => {
  await fc.assert(
    fc.asyncProperty(table, async (services) => {
      await bench.control.change(() => stateOf(services));
      const before = comparable(bench.control.state);
      const { stdout: rules } = await ipvsadm(bench.socketPath, "-S -n");
      await bench.control.change(() => EMPTY_STATE);
      const outcome = await ipvsadm(bench.socketPath, "-R", rules);
      expect(outcome).toEqual({ exitCode: 0, stdout: "", stderr: "" });
      expect(comparable(bench.control.state)).toEqual(before);
      expect((await ipvsadm(bench.socketPath, "-S -n")).stdout.split("\n").toSorted()).toEqual(
        rules.split("\n").toSorted(),
      );
    }),
    { numRuns: 60 },
  );
});

/** Twins are left out. */
function stateOf(
  services: readonly { record: WireServiceRecord; destinations: readonly WireDestination[] }[],
): DesiredState {
  let state = EMPTY_STATE;
  for (const { record, destinations } of services) {
    const spec = serviceFromWire(record);
    state = unlessRefused(state, () => addService(state, spec));
    for (const each of destinations) {
      const before = state;
      state = unlessRefused(before, () =>
        addDestination(before, spec.key, destinationFromWire(each)),
      );
    }
  }
  return state;
}

function unlessRefused(state: DesiredState, step: () => DesiredState): DesiredState {
  try {
    return step();
  } catch (error) {
    if (error instanceof LbError) return state;
    throw error;
  }
}

/** Without the orders, which restoring changes: it adds in the order of the listing. */
function comparable(state: DesiredState): unknown {
  const services = [...state.services].map(([name, plan]) => ({
    name,
    plan: JSON.stringify({ ...plan, destinations: [], revision: 0 }),
    destinations: plan.destinations.map((each) => JSON.stringify(each)).toSorted(),
  }));
  return services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
