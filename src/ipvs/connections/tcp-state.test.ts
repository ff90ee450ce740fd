import { describe, expect, test } from "vitest";
import { StateMachine } from "./state-machine.ts";
import { SECURE_TCP, TCP, tcpEvent } from "./tcp-state.ts";

const DIRECTIONS = ["IN", "OUT", "IN-ONLY"];
const EVENTS = ["syn", "fin", "ack", "rst", "none"];
const STATES = "NO ES SS SR FW TW CL CW LA LI SA".split(" ");

// tcp_states[] of ip_vs_proto_tcp.c; a column is a present state, in the order of STATES.
const NORMAL = `
  IN      syn  SR ES ES SR SR SR SR SR SR SR SR
  IN      fin  CL CW SS TW TW TW CL CW LA LI TW
  IN      ack  ES ES SS ES FW TW CL CW CL LI ES
  IN      rst  CL CL CL SR CL CL CL CL LA LI SR
  IN      none CL CL CL CL CL CL CL CL CL CL CL
  OUT     syn  SS ES SS SR SS SS SS SS SS LI SR
  OUT     fin  TW FW SS TW FW TW CL TW LA LI TW
  OUT     ack  ES ES SS ES FW TW CL CW LA ES ES
  OUT     rst  CL CL SS CL CL TW CL CL CL CL CL
  OUT     none CL CL CL CL CL CL CL CL CL CL CL
  IN-ONLY syn  SR ES ES SR SR SR SR SR SR SR SR
  IN-ONLY fin  CL FW SS TW FW TW CL CW LA LI TW
  IN-ONLY ack  ES ES SS ES FW TW CL CW CL LI ES
  IN-ONLY rst  CL CL CL SR CL CL CL CL LA LI CL
  IN-ONLY none CL CL CL CL CL CL CL CL CL CL CL`;

// tcp_states_dos[]: what differs, as direction, event, present state and next state.
const SECURE_CHANGES = `
  IN      syn  SA SA
  IN      fin  SA SA
  IN      ack  SR SR
  IN      ack  SA SA
  IN      rst  SA CL
  OUT     syn  SR SA
  OUT     syn  SA SA
  IN-ONLY syn  NO SA
  IN-ONLY syn  FW SA
  IN-ONLY syn  TW SA
  IN-ONLY syn  CL SA
  IN-ONLY syn  CW SA
  IN-ONLY syn  LA SA
  IN-ONLY syn  LI SA
  IN-ONLY syn  SA SA`;

type Line = readonly [direction: string, event: string, ...rest: string[]];

function lines(text: string): Line[] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/) as unknown as Line);
}

function read(machine: StateMachine, direction: string, event: string): string {
  return STATES.map(
    (_, state) => STATES[machine.next(DIRECTIONS.indexOf(direction), EVENTS.indexOf(event), state)],
  ).join(" ");
}

describe("tcp", () => {
  const machine = new StateMachine(TCP);

  test.for(lines(NORMAL))("%s %s", ([direction, event, ...next]) => {
    expect(read(machine, direction, event)).toBe(next.join(" "));
  });
});

describe("secure tcp", () => {
  const machine = new StateMachine(SECURE_TCP);
  const changes = lines(SECURE_CHANGES);

  test.for(lines(NORMAL))("%s %s", ([direction, event, ...next]) => {
    for (const [where, what, from, to] of changes) {
      if (where === direction && what === event) next[STATES.indexOf(from!)] = to!;
    }
    expect(read(machine, direction, event)).toBe(next.join(" "));
  });
});

// State, what ipvsadm prints, timeout in seconds, whether it counts as active.
// biome-ignore format: a table
const facts: [state: string, name: string, seconds: number, active: boolean][] = [
  ["NO", "NONE",          2, false],
  ["ES", "ESTABLISHED", 900, true],
  ["SS", "SYN_SENT",    120, true],
  ["SR", "SYN_RECV",     60, true],
  ["FW", "FIN_WAIT",    120, false],
  ["TW", "TIME_WAIT",   120, false],
  ["CL", "CLOSE",        10, false],
  ["CW", "CLOSE_WAIT",   60, false],
  ["LA", "LAST_ACK",     30, false],
  ["LI", "LISTEN",      120, false],
  ["SA", "SYNACK",      120, true],
];

test.for(facts)("%s is printed as %s and lives %i s", ([state, name, seconds, active]) => {
  for (const machine of [new StateMachine(TCP), new StateMachine(SECURE_TCP)]) {
    const number = STATES.indexOf(state);
    expect(machine.nameOf(number)).toBe(name);
    expect(machine.timeoutMs(number)).toBe(seconds * 1000);
    expect(machine.isActive(number)).toBe(active);
  }
});

const flags: [flags: string, bits: number, event: string][] = [
  ["SYN", 0x02, "syn"],
  ["SYN ACK", 0x12, "syn"],
  ["FIN ACK", 0x11, "fin"],
  ["PSH ACK", 0x18, "ack"],
  ["RST ACK", 0x14, "rst"],
  ["RST over SYN", 0x06, "rst"],
  ["SYN over FIN", 0x03, "syn"],
  ["nothing", 0x00, "none"],
  ["URG PSH ECE CWR", 0xe8, "none"],
];

test.for(flags)("of %s (%i) the event is %s", ([, bits, event]) => {
  expect(EVENTS[tcpEvent(bits)]).toBe(event);
});

// Observed on a real kernel: "c" is a segment of the client, "s" of the server, after it the state.
const lives: [why: string, direction: 0 | 2, story: string][] = [
  [
    "masqueraded, client closes first",
    0,
    "c:syn SR, s:syn SR, c:ack ES, c:fin CW, s:fin TW, c:ack TW",
  ],
  [
    "masqueraded, server closes first",
    0,
    "c:syn SR, s:syn SR, c:ack ES, s:fin FW, c:ack FW, c:fin TW",
  ],
  ["masqueraded, refused", 0, "c:syn SR, s:rst CL"],
  ["direct routing, client closes", 2, "c:syn SR, c:ack ES, c:ack ES, c:fin FW, c:ack FW"],
  ["direct routing, client resets", 2, "c:syn SR, c:ack ES, c:rst CL"],
  ["direct routing, server refuses unseen", 2, "c:syn SR"],
];

test.for(lives)("a connection's life: %s", ([, client, story]) => {
  const machine = new StateMachine(TCP);
  let state = 0;
  for (const step of story.split(", ")) {
    const [who, event, expected] = step.split(/[: ]/) as [string, string, string];
    state = machine.next(who === "c" ? client : 1, EVENTS.indexOf(event), state);
    expect(STATES[state], step).toBe(expected);
  }
});

test("with secure_tcp a direct-routed connection is SYNACK until the client's ACK", () => {
  const machine = new StateMachine(SECURE_TCP);
  const synAck = machine.next(2, EVENTS.indexOf("syn"), 0);
  expect(machine.nameOf(synAck)).toBe("SYNACK");
  expect(machine.nameOf(machine.next(2, EVENTS.indexOf("ack"), synAck))).toBe("ESTABLISHED");
});
