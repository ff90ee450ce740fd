import { expect, test } from "vitest";
import { command } from "../../../../test/packets/commands.ts";
import { Names } from "../../../../test/packets/names.ts";
import { type DesiredState, EMPTY_STATE } from "../../../ipvs/desired/desired-state.ts";
import { type NeededRules, ruleChanges, rulesForService } from "./needed-rules.ts";

const names = new Names("inet");

function stateAfter(...commands: readonly string[]): DesiredState {
  return commands.reduce((state, text) => command(state, text, names), EMPTY_STATE);
}

function rules(...commands: string[]): NeededRules {
  const { services } = stateAfter(...commands);
  return new Map([...services.values()].flatMap((plan) => [...rulesForService(plan)]));
}

// biome-ignore format: a table
const cases: [what: string, commands: string[], services: string[], replies: string[]][] = [
  ["a service needs its own packets", ["-A -t V:80", "-a -t V:80 -r R1"],
    ["tcp 10.9.0.100:80"], []],
  ["a masqueraded server's replies are needed, too", ["-A -u V:53", "-a -u V:53 -r R1:5353 -m"],
    ["udp 10.9.0.100:53"], ["udp 10.1.0.21:5353"]],
  ["port 0 is any", ["-A -t V:0 -p 60", "-a -t V:0 -r R1:0 -m"],
    ["tcp 10.9.0.100:any"], ["tcp 10.1.0.21:any"]],
  ["persistent FTP has data connections", ["-A -t V:21 -p 60", "-a -t V:21 -r R1 -m"],
    ["tcp 10.9.0.100:any"], ["tcp 10.1.0.21:any"]],
  ["other FTP has none", ["-A -t V:21", "-a -t V:21 -r R1 -m"],
    ["tcp 10.9.0.100:21"], ["tcp 10.1.0.21:21"]],
  ["a mark is taken, and what its masqueraded servers may send", ["-A -f 7", "-a -f 7 -r R1:8080 -m", "-a -f 7 -r R2:0 -m", "-a -f 7 -r R3:0 -g"],
    ["inet 7"], ["tcp 10.1.0.21:8080", "udp 10.1.0.21:8080", "sctp 10.1.0.21:8080", "tcp 10.1.0.22:any", "udp 10.1.0.22:any", "sctp 10.1.0.22:any"]],
  ["a persistent mark's servers keep the packets' ports", ["-A -f 7 -p 60", "-a -f 7 -r R1:8080 -m"],
    ["inet 7"], ["tcp 10.1.0.21:any", "udp 10.1.0.21:any", "sctp 10.1.0.21:any"]],
  ["servers of two services are one", ["-A -t V:80", "-a -t V:80 -r R1:8080 -m", "-A -t V2:80", "-a -t V2:80 -r R1:8080 -m"],
    ["tcp 10.9.0.100:80", "tcp 10.9.0.101:80"], ["tcp 10.1.0.21:8080"]],
];

test.for(cases)("%s", ([, commands, services, replies]) => {
  const needed = rules(...commands);
  expect([...texts(needed, "service"), ...texts(needed, "mark")]).toEqual(services);
  expect(texts(needed, "reply")).toEqual(replies);
});

test("a service whose server may be the host itself is known with it", () => {
  expect([...rules("-A -t V:80", "-a -t V:80 -r R1").keys()]).toEqual([
    "service tcp 10.9.0.100 80",
    "direct tcp 10.9.0.100 80 to 10.1.0.21",
  ]);
});

const SERVERS = ["-a -t V:21 -r R1 -m", "-a -t V:21 -r R2 -m", "-a -t V:21 -r R3"];

// biome-ignore format: a table
const changes: [what: string, commands: string[], coming: string[], going: string[]][] = [
  ["a service that comes", ["-A -t V:21", ...SERVERS],
    ["service tcp 10.9.0.100 21", "reply tcp 10.1.0.21 21", "reply tcp 10.1.0.22 21", "direct tcp 10.9.0.100 21 to 10.1.0.23"], []],
  ["a server more", ["-a -t V:21 -r R1:8021 -m"], ["reply tcp 10.1.0.21 8021"], []],
  ["a server less", ["-d -t V:21 -r R2"], [], ["reply tcp 10.1.0.22 21"]],
  ["another way to a server", ["-e -t V:21 -r R2 -g"],
    ["direct tcp 10.9.0.100 21 to 10.1.0.22"], ["reply tcp 10.1.0.22 21"]],
  ["a scheduler", ["-E -t V:21 -s rr"], [], []],
  ["persistence, which has FTP come to any port", ["-d -t V:21 -r R3", "-E -t V:21 -p 60"],
    ["service tcp 10.9.0.100 undefined", "reply tcp 10.1.0.21 undefined", "reply tcp 10.1.0.22 undefined"],
    ["service tcp 10.9.0.100 21", "reply tcp 10.1.0.21 21", "reply tcp 10.1.0.22 21", "direct tcp 10.9.0.100 21 to 10.1.0.23"]],
  ["a service that goes", ["-D -t V:21"], [],
    ["service tcp 10.9.0.100 21", "reply tcp 10.1.0.21 21", "reply tcp 10.1.0.22 21", "direct tcp 10.9.0.100 21 to 10.1.0.23"]],
];

test.for(changes)("what changes with %s", ([what, commands, coming, going]) => {
  const base = what.endsWith("comes") ? [] : ["-A -t V:21", ...SERVERS];
  const key = "TCP 10.9.0.100:21";
  const before = stateAfter(...base);
  const after = commands.reduce((state, text) => command(state, text, names), before);
  const found = ruleChanges(before.services.get(key), after.services.get(key));
  expect(found.coming.map(([text]) => text)).toEqual(coming);
  expect(found.going.map(([text]) => text)).toEqual(going);
});

function texts(rules: NeededRules, kind: "service" | "reply" | "mark"): string[] {
  return [...rules.values()].flatMap((rule) => {
    if (rule.kind === "range" || rule.kind !== kind) return [];
    if (rule.kind === "mark") return `${rule.mark.family} ${rule.mark.mark}`;
    const { protocol, address, port } = rule.endpoint;
    return `${protocol} ${address}:${port ?? "any"}`;
  });
}
