import { expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import { Names } from "../../../test/packets/names.ts";
import { type DesiredState, EMPTY_STATE } from "./desired-state.ts";
import { drainDestination, drainedServers, endDrain, undrainDestination } from "./drain.ts";
import { type DestinationPlan, type Drain, formatEndpoint } from "./service.ts";
import { reconcile, type WantedState } from "./wanted.ts";

const names = new Names("inet");
const HTTP = ["-A -t V:80 -s rr", "-a -t V:80 -r R1 -m -w 3", "-a -t V:80 -r R2 -m -w 1"];
const ASKED = {
  since: 1_000,
  timeoutSeconds: 60,
  afterwards: "remove",
  cause: "operator",
  isForced: false,
} as const;

function stateOf(...commands: string[]): DesiredState {
  return commands.reduce((state, text) => command(state, text, names), EMPTY_STATE);
}

function first(state: DesiredState) {
  return [...state.services.values()][0]!;
}

function drained(state: DesiredState, asked: Partial<typeof ASKED> = {}): DesiredState {
  const { key, destinations } = first(state);
  return drainDestination(state, key, destinations[0]!.endpoint, { ...ASKED, ...asked });
}

/** What the files of these commands would say, without `but`. */
function wanted(commands: readonly string[], settings: Partial<WantedState> = {}): WantedState {
  const services = [...stateOf(...commands).services.values()].map(({ destinations, ...spec }) => ({
    spec,
    destinations,
  }));
  return { services, timeouts: {}, sysctls: {}, keepsOthers: false, ...settings };
}

/** `R1 w0 remove 3`: weight, what comes after, what it weighs again. */
function told(state: DesiredState): string[] {
  return [...state.services.values()].flatMap(({ destinations }) =>
    destinations.map(({ endpoint, weight, drain }: DestinationPlan) => {
      const rest = drain === undefined ? [] : [drain.cause, drain.afterwards, drain.weight];
      return [formatEndpoint(endpoint), `w${weight}`, ...rest].join(" ");
    }),
  );
}

test("a drained server weighs nothing, and undrained what it weighed", () => {
  const state = stateOf(...HTTP);
  const next = drained(state);
  expect(told(next)[0]).toBe("10.1.0.21:80 w0 operator remove 3");
  expect(told(drained(next))[0]).toBe("10.1.0.21:80 w0 operator remove 3");
  const { key, destinations } = first(next);
  expect(told(undrainDestination(next, key, destinations[0]!.endpoint))).toEqual(told(state));
  expect(undrainDestination(state, key, destinations[1]!.endpoint)).toBe(state);
});

const ends: [afterwards: Drain["afterwards"], told: string[]][] = [
  ["remove", ["10.1.0.22:80 w1"]],
  ["keep", ["10.1.0.21:80 w0 operator keep 3", "10.1.0.22:80 w1"]],
];

test.for(ends)("at the end of its drain it is to %s", ([afterwards, expected]) => {
  const { key, destinations } = first(stateOf(...HTTP));
  const state = drainDestination(stateOf(...HTTP), key, destinations[0]!.endpoint, {
    ...ASKED,
    afterwards,
  });
  const [server] = drainedServers(state);
  const next = endDrain(state, server!);
  expect(told(next)).toEqual(expected);
  expect(endDrain(next, server!)).toBe(next);
});

test("the end of a drain that was taken back, or begun anew, changes nothing", () => {
  const state = drained(stateOf(...HTTP));
  const [server] = drainedServers(state);
  const { key, destinations } = first(state);
  const anew = drainDestination(state, key, destinations[0]!.endpoint, { ...ASKED, since: 2_000 });
  expect(endDrain(anew, server!)).toBe(anew);
  const back = undrainDestination(state, key, destinations[0]!.endpoint);
  expect(endDrain(back, server!)).toBe(back);
});

test("a file goes on with an operator's drain, and says what the server weighs after", () => {
  const state = drained(stateOf(...HTTP));
  expect(reconcile(state, wanted(HTTP))).toBe(state);
  const heavier = [HTTP[0]!, "-a -t V:80 -r R1 -m -w 9", HTTP[2]!];
  expect(told(reconcile(state, wanted(heavier)))[0]).toBe("10.1.0.21:80 w0 operator remove 9");
});

test("ipvsadm's edit replaces the record, and so ends the drain", () => {
  const state = command(drained(stateOf(...HTTP)), "-e -t V:80 -r R1 -m -w 2", names);
  expect(told(state)[0]).toBe("10.1.0.21:80 w2");
});

test("who leaves a file is drained, and is a server like any other once it is wanted again", () => {
  const state = stateOf(...HTTP, "-A -t V:81", "-a -t V:81 -r R1 -m");
  const only = [HTTP[0]!, HTTP[2]!];
  const leaving = reconcile(state, wanted(only, { drainSeconds: 60 }), 5_000);
  expect(told(leaving)).toEqual([
    "10.1.0.21:80 w0 file remove 3",
    "10.1.0.22:80 w1",
    "10.1.0.21:81 w0 file remove-service 1",
  ]);
  // Said once more, it leaves as it did.
  expect(reconcile(leaving, wanted(only, { drainSeconds: 60 }), 9_000)).toBe(leaving);
  const left = [...drainedServers(leaving)].reduce(endDrain, leaving);
  expect(told(left)).toEqual(["10.1.0.22:80 w1"]);
  expect([...left.services.keys()]).toEqual(["TCP 10.9.0.100:80"]);
  const all = wanted([...HTTP, "-A -t V:81", "-a -t V:81 -r R1 -m"], { drainSeconds: 60 });
  expect(told(reconcile(leaving, all, 9_000))).toEqual(told(state));
  expect(told(reconcile(leaving, wanted(only), 9_000))).toEqual(["10.1.0.22:80 w1"]);
});
