import { expect, test } from "vitest";
import { Address } from "../../net/address.ts";
import { toPort } from "../../net/port.ts";
import {
  addService,
  type DesiredState,
  EMPTY_STATE,
  editService,
  type ServiceSpec,
} from "./desired-state.ts";
import { differences } from "./differences.ts";
import { formatRange, type PortRange } from "./port-range.ts";
import type { Mark } from "./service.ts";
import { reconcile, type WantedState } from "./wanted.ts";

function range(address: string, first: number, last: number): PortRange {
  return {
    protocol: "tcp",
    address: Address.parse(address)!,
    first: toPort(first),
    last: toPort(last),
  };
}

function spec(mark: number, itsRange?: PortRange): ServiceSpec {
  return {
    key: { kind: "mark", family: "inet", mark: mark as Mark },
    scheduler: "rr",
    schedulerFlags: 0,
    onePacket: false,
    persistence: undefined,
    persistenceEngine: undefined,
    ...(itsRange === undefined ? {} : { range: itsRange }),
  };
}

function wanting(...specs: ServiceSpec[]): WantedState {
  const services = specs.map((each) => ({ spec: each, destinations: [] }));
  return { services, timeouts: {}, sysctls: {}, keepsOthers: false };
}

const rangeOf = (state: DesiredState): string => {
  const known = state.services.get("FWM 1")?.range;
  return known === undefined ? "none" : formatRange(known);
};

// biome-ignore format: a table
const refusals: [why: string, its: PortRange][] = [
  ["it begins at port 0",                        range("192.0.2.1", 0, 9)],
  ["its last port is not above its first",       range("192.0.2.1", 9, 9)],
  ["the mark is of the other address family",    range("2001:db8::1", 1, 9)],
  ["it is not a unicast address",                range("224.0.0.1", 1, 9)],
];

test.for(refusals)("a range is refused: %s", ([why, its]) => {
  expect(() => addService(EMPTY_STATE, spec(1, its))).toThrow(`FWM 1: ${formatRange(its)}: ${why}`);
});

test("no two services have the same port", () => {
  const [one, other] = [range("192.0.2.1", 8000, 8010), range("192.0.2.1", 8010, 8020)];
  const message = "FWM 2: TCP 192.0.2.1:8010-8020 and TCP 192.0.2.1:8000-8010 have ports in common";
  const state = addService(EMPTY_STATE, spec(1, one));
  expect(() => addService(state, spec(2, other))).toThrow(message);
  expect(() => reconcile(EMPTY_STATE, wanting(spec(1, one), spec(2, other)))).toThrow(message);
  const elsewhere = [range("192.0.2.2", 8010, 8020), { ...other, protocol: "udp" as const }];
  for (const each of elsewhere) addService(state, spec(2, each));
});

test("an edit without a word of it keeps it; another one is a change, and no edit of the service", () => {
  const before = addService(EMPTY_STATE, spec(1, range("192.0.2.1", 8000, 8010)));
  expect(rangeOf(editService(before, spec(1)))).toBe("TCP 192.0.2.1:8000-8010");
  const after = reconcile(before, wanting(spec(1, range("192.0.2.1", 8000, 8020))));
  expect(after.services.get("FWM 1")!.revision).toBe(0);
  expect(differences(before, after)).toMatchObject([
    {
      action: "change",
      facts: [
        { name: "range", before: "TCP 192.0.2.1:8000-8010", after: "TCP 192.0.2.1:8000-8020" },
      ],
    },
  ]);
  expect(reconcile(after, wanting(spec(1, range("192.0.2.1", 8000, 8020))))).toBe(after);
  expect(rangeOf(reconcile(after, wanting(spec(1))))).toBe("none");
});
