import { expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import { Names } from "../../../test/packets/names.ts";
import { type DesiredState, EMPTY_STATE } from "./desired-state.ts";
import { differences } from "./differences.ts";
import { formatEndpoint, formatServiceKey } from "./service.ts";
import { reconcile, type WantedService, type WantedState } from "./wanted.ts";

const names = new Names("inet");

function stateOf(...commands: string[]): DesiredState {
  return commands.reduce((state, text) => command(state, text, names), EMPTY_STATE);
}

/** What these commands would bring about, with the weights that they name left out when `isWeightless`. */
function wanted(
  commands: readonly string[],
  { isWeightless = false, ...settings }: Partial<WantedState> & { isWeightless?: boolean } = {},
): WantedState {
  const services = [...stateOf(...commands).services.values()].map(
    ({ destinations, ...spec }): WantedService => ({
      spec,
      destinations: destinations.map((each) => ({
        ...each,
        weight: isWeightless ? undefined : each.weight,
      })),
    }),
  );
  return { services, timeouts: {}, sysctls: {}, keepsOthers: false, ...settings };
}

/** `change destination TCP 10.9.0.100:80 -> 10.0.0.1:80 weight 1 5`. */
function told(before: DesiredState, after: DesiredState): string[] {
  return differences(before, after).map((each) => {
    const service = "service" in each ? [formatServiceKey(each.service)] : [];
    const at = "destination" in each ? ["->", formatEndpoint(each.destination)] : [];
    const facts = each.facts.flatMap(({ name, before: one, after: other }) => [
      `${name} ${one ?? "-"} ${other ?? "-"}`,
    ]);
    return [each.action, each.what, ...service, ...at, facts.join(", ")].join(" ");
  });
}

const HTTP = ["-A -t V:80 -s rr", "-a -t V:80 -r R1 -m -w 3", "-a -t V:80 -r R2 -m -w 1"];

test("what is there already is left as it is, object by object", () => {
  const state = stateOf(...HTTP, "-A -t V:443");
  expect(reconcile(state, wanted([...HTTP, "-A -t V:443"]))).toBe(state);
});

test("what differs is added, edited and removed, all else is the same object", () => {
  const state = stateOf(...HTTP, "-A -t V:443", "-A -u V:53");
  const next = reconcile(
    state,
    wanted([
      "-A -t V:80 -s wrr",
      "-a -t V:80 -r R2 -m -w 4",
      "-a -t V:80 -r R3 -g -x 9",
      "-A -t V:443",
      "-A -t V:8080 -s sh -b sh-fallback -p 60",
    ]),
  );
  expect(next.services.get("TCP 10.9.0.100:443")).toBe(state.services.get("TCP 10.9.0.100:443"));
  expect(told(state, next)).toEqual([
    "remove service UDP 10.9.0.100:53 scheduler wlc -",
    "change service TCP 10.9.0.100:80 scheduler rr wrr",
    expect.stringMatching(
      /^remove destination TCP 10.9.0.100:80 -> \S+ forwarding masquerade -, weight 3 -$/,
    ),
    expect.stringMatching(/^change destination TCP 10.9.0.100:80 -> \S+ weight 1 4$/),
    expect.stringMatching(
      /^add destination .* forwarding - route, weight - 1, upperThreshold - 9$/,
    ),
    "add service TCP 10.9.0.100:8080 scheduler - sh, schedulerFlags - fallback, persistence - 60s, netmask - 255.255.255.255",
  ]);
});

test("weights that are not spoken of stay, and are 1 for who is new", () => {
  const state = stateOf(...HTTP);
  const lines = [...HTTP, "-a -t V:80 -r R3 -m -w 7"];
  const next = reconcile(state, wanted(lines, { isWeightless: true }));
  const [service] = next.services.values();
  expect(service!.destinations.map(({ weight }) => weight)).toEqual([3, 1, 1]);
});

test("others may stay", () => {
  const state = stateOf(...HTTP, "-A -t V:443");
  expect(reconcile(state, wanted(HTTP, { keepsOthers: true }))).toBe(state);
  expect([...reconcile(state, wanted(HTTP)).services.keys()]).toEqual(["TCP 10.9.0.100:80"]);
});

test("settings that are not named stay", () => {
  const settings = { timeouts: { udp: 7 }, sysctls: { sloppy_tcp: 1 } };
  const next = reconcile(stateOf(), wanted([], settings));
  expect(told(stateOf(), next)).toEqual([
    "change timeouts udp 300 7",
    "change sysctls sloppy_tcp 0 1",
  ]);
  expect(reconcile(next, wanted([], settings))).toBe(next);
  expect(reconcile(next, wanted([]))).toBe(next);
});

test("what the commands refuse is refused", () => {
  const [http] = wanted(HTTP).services;
  const twice = { ...wanted(HTTP), services: [http!, http!] };
  expect(() => reconcile(stateOf(), twice)).toThrow("Service already exists");
  const [destination] = http!.destinations;
  const same = { ...http!, destinations: [destination!, destination!] };
  expect(() => reconcile(stateOf(), { ...twice, services: [same] })).toThrow(
    "Destination already exists",
  );
  expect(() => reconcile(stateOf(...HTTP), { ...twice, services: [same] })).toThrow(
    "Destination already exists",
  );
});
