/** What stands, written and read again, wants what stands. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { inet6Address, inetAddress, port } from "../../test/arbitraries.ts";
import {
  addDestination,
  addService,
  type DesiredState,
  type DestinationSpec,
  EMPTY_STATE,
  type ServiceSpec,
  setTimeouts,
} from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import type { PortRange } from "../ipvs/desired/port-range.ts";
import type { Forwarding, Mark, ServiceKey } from "../ipvs/desired/service.ts";
import { changedSysctls, setSysctls } from "../ipvs/desired/set-sysctl.ts";
import { type VipPlan, withVips } from "../ipvs/desired/vip.ts";
import { reconcile, type WantedState } from "../ipvs/desired/wanted.ts";
import type { SchedulerName } from "../ipvs/schedulers/index.ts";
import { SCHEDULERS } from "../ipvs/schedulers/index.ts";
import { toPort } from "../net/port.ts";
import { NO_DEFAULTS, readText } from "./files.ts";
import { resolve } from "./resolve.ts";
import { contentOf, unsayable, writeConfiguration } from "./write.ts";

const forwarding = fc.oneof(
  fc.constantFrom<Forwarding>(
    { kind: "route" },
    { kind: "masquerade" },
    { kind: "tunnel", encapsulation: "ipip" },
    { kind: "tunnel", encapsulation: "gre", checksum: "full" },
    { kind: "tunnel", encapsulation: "gre", checksum: "none" },
  ),
  fc.record({
    kind: fc.constant("tunnel" as const),
    encapsulation: fc.constant("gue" as const),
    port: fc.integer({ min: 1, max: 0xffff }).map(toPort),
    checksum: fc.constantFrom("none" as const, "full" as const, "remote" as const),
  }),
);

const anyAddress = fc.oneof(inetAddress, inet6Address);
const threshold = fc.nat({ max: 0x7fff_ffff });

const destination: fc.Arbitrary<DestinationSpec> = fc.record({
  endpoint: fc.record({ address: anyAddress, port }),
  forwarding,
  weight: fc.nat({ max: 0xffff }),
  upperThreshold: threshold,
  lowerThreshold: fc.oneof(fc.constant(0), threshold),
});

const key: fc.Arbitrary<ServiceKey> = fc.oneof(
  fc.record({
    kind: fc.constant("endpoint" as const),
    protocol: fc.constantFrom("tcp" as const, "udp" as const, "sctp" as const),
    endpoint: fc.record({
      address: anyAddress,
      port: fc.integer({ min: 1, max: 0xffff }).map(toPort),
    }),
  }),
  fc.record({
    kind: fc.constant("mark" as const),
    family: fc.constantFrom("inet" as const, "inet6" as const),
    mark: fc.integer({ min: 1, max: 0xffff_ffff }).map((mark) => mark as Mark),
  }),
);

/** Of a mark. */
const range: fc.Arbitrary<PortRange> = fc
  .tuple(anyAddress, fc.integer({ min: 1, max: 0xfffe }), fc.nat({ max: 0xffff }))
  .map(([address, first, more]) => ({
    protocol: "udp" as const,
    address,
    first: toPort(first),
    last: toPort(Math.min(0xffff, first + 1 + more)),
  }));

const service: fc.Arbitrary<ServiceSpec> = fc.record(
  {
    range,
    key,
    scheduler: fc.constantFrom(...(Object.keys(SCHEDULERS) as SchedulerName[])),
    schedulerFlags: fc.constantFrom(0, 0x08, 0x10, 0x20, 0x38),
    onePacket: fc.boolean(),
    persistence: fc.option(
      fc.record({
        timeoutSeconds: fc.integer({ min: 1, max: 2_678_400 }),
        netmask: fc.oneof(fc.constant(0xffff_ffff), fc.integer({ min: 1, max: 128 })),
      }),
      { nil: undefined },
    ),
    persistenceEngine: fc.constantFrom(undefined, "sip" as const),
  },
  {
    requiredKeys: [
      "key",
      "scheduler",
      "schedulerFlags",
      "onePacket",
      "persistence",
      "persistenceEngine",
    ],
  },
) as fc.Arbitrary<ServiceSpec>;

const period = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_000_000 }));

const vip: fc.Arbitrary<VipPlan> = anyAddress.chain((address) =>
  fc.record({
    address: fc.constant(address),
    prefixLength: fc.integer({ min: 1, max: address.family === "inet" ? 32 : 128 }),
    interfaceName: fc.constantFrom("eth0", "br-lan.100"),
    label: fc.constantFrom(undefined, "eth0:web"),
    announcing: fc.option(
      fc.record({ count: fc.integer({ min: 1, max: 100 }), againMs: period, refreshMs: period }),
      { nil: undefined },
    ),
  }),
);

/** What the commands take of these. */
const state: fc.Arbitrary<DesiredState> = fc
  .record({
    services: fc.array(fc.tuple(service, fc.array(destination, { maxLength: 4 })), {
      maxLength: 5,
    }),
    vips: fc.array(vip, { maxLength: 3 }),
    udp: fc.integer({ min: 1, max: 2_678_400 }),
    dropEntry: fc.nat({ max: 3 }),
  })
  .map(({ services, vips, udp, dropEntry }) => {
    let next = setTimeouts(EMPTY_STATE, { tcp: 0, tcpFin: 0, udp });
    next = setSysctls(next, { drop_entry: dropEntry });
    for (const each of vips) {
      next = unlessRefused(next, (before) => ({
        ...before,
        vips: withVips(before.vips, [each], true),
      }));
    }
    for (const [spec, destinations] of services) {
      next = unlessRefused(next, (before) => addService(before, spec));
      for (const each of destinations) {
        next = unlessRefused(next, (before) => addDestination(before, spec.key, each));
      }
    }
    return next;
  });

function unlessRefused(
  before: DesiredState,
  command: (before: DesiredState) => DesiredState,
): DesiredState {
  try {
    return command(before);
  } catch (error) {
    if (error instanceof LbError) return before;
    throw error;
  }
}

function wantedOf({ services, timeouts, sysctls, vips }: DesiredState): WantedState {
  return {
    vips: [...vips.values()],
    services: [...services.values()].map(({ destinations, ...spec }) => ({ spec, destinations })),
    timeouts,
    sysctls: changedSysctls(sysctls),
    keepsOthers: false,
  };
}

test("what stands, written and read again, changes nothing", () => {
  fc.assert(
    fc.property(state, (before) => {
      const text = writeConfiguration(contentOf(wantedOf(before)), ["as it stands"]);
      const { files, problems } = readText("sluice.yaml", text, NO_DEFAULTS, {});
      const resolved = resolve(files);
      expect([...problems, ...resolved.problems]).toEqual([]);
      expect(reconcile(before, resolved.wanted)).toBe(before);
      // And brings all of it about where nothing is.
      const anew = reconcile(EMPTY_STATE, resolved.wanted);
      expect([...anew.vips.values()]).toEqual([...before.vips.values()]);
      expect([...anew.services.keys()]).toEqual([...before.services.keys()]);
      expect(reconcile(anew, wantedOf(before))).toBe(anew);
    }),
  );
});

test("it reads well", () => {
  const text = `# a comment
timeouts:
  tcp: 900
services:
  - protocol: udp
    vip: 192.0.2.10
    port: 10000-20000
    scheduler: sh
  - protocol: tcp
    vip: 192.0.2.10
    port: 80
    scheduler: wlc
    destinations:
      - address: 192.0.2.21
        forwarding: route
        weight: 1
      - address: 2001:db8::1
        port: 8080
        forwarding:
          tunnel: gue
          port: 6080
          checksum: none
        weight: 2
        upperThreshold: 100
  - mark: 7
    scheduler: sh
    flags:
      - port
    persistence:
      timeout: 60
      netmask: 255.255.255.0
`;
  const { files } = readText("sluice.yaml", text, NO_DEFAULTS, {});
  expect(writeConfiguration(contentOf(resolve(files).wanted), ["a comment"])).toBe(text);
});

test("what a file may not say is told", () => {
  const [one] = fc.sample(
    destination.filter(({ forwarding: { kind } }) => kind === "tunnel"),
    1,
  );
  const [spec] = fc.sample(
    service.filter(({ key: { kind } }) => kind === "mark"),
    1,
  );
  const heavy = { ...one!, weight: 65_536 };
  const wanted = {
    services: [{ spec: { ...spec!, persistence: undefined }, destinations: [heavy] }],
    timeouts: {},
    sysctls: {},
    keepsOthers: false,
  };
  // The service is by chance, and may be one that no file says, either.
  expect(unsayable(contentOf(wanted))[0]).toMatchObject({
    path: "services[0].destinations[0].weight",
    message: "expected an integer from 0 to 65535, got 65536",
  });
});
