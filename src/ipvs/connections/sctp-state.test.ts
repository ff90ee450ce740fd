import { expect, test } from "vitest";
import { SCTP, sctpEvent } from "./sctp-state.ts";
import { StateMachine } from "./state-machine.ts";

const DIRECTIONS = ["IN", "OUT", "IN-ONLY"];
const EVENTS = "d i i_a c_e c_a s s_a s_c err ab".split(" ");
const STATES = "NO I1 IN CS CR CW CO CE ES SS SR SA RJ CL".split(" ");

// sctp_states[] of ip_vs_proto_sctp.c; a column is a present state, in the order of STATES.
const TABLE = `
  IN      d   ES I1 IN CS CR CW CO CE ES SS SR SA RJ CL
  IN      i   I1 IN IN CS CR CW CO CE ES SS SR SA IN IN
  IN      i_a CW CW CW CS CR CO CO CE ES SS SR SA RJ CL
  IN      c_e CR IN IN CR CR CW CO CE ES SS SR SA RJ CL
  IN      c_a ES I1 IN CS CR CW CO ES ES SS SR SA RJ CL
  IN      s   SR I1 IN CS CR CW CO CE SR SS SR SA RJ CL
  IN      s_a CL IN IN CS CR CW CO CE ES CL SR CL RJ CL
  IN      s_c CL CL CL CS CR CW CO CE ES SS SR CL RJ CL
  IN      err CL I1 IN CS CR CW CO CL ES SS SR SA RJ CL
  IN      ab  CL CL CL CL CL RJ CL CL CL CL CL CL CL CL
  OUT     d   ES I1 IN CS CR CW CO CE ES SS SR SA RJ CL
  OUT     i   CW CW CW CW CW CW CW CW ES CW CW CW CW CW
  OUT     i_a CS CS CS CS CR CW CO CE ES SS SR SA RJ CL
  OUT     c_e CE CE CE CE CE CE CE CE ES SS SR SA RJ CL
  OUT     c_a ES ES ES ES ES ES ES ES ES SS SR SA RJ CL
  OUT     s   SS SS SS SS SS SS SS SS SS SS SR SA RJ CL
  OUT     s_a SA SA SA SA SA CW CO CE ES SA SA SA RJ CL
  OUT     s_c CL I1 IN CS CR CW CO CE ES SS SR SA RJ CL
  OUT     err CL CL CL CL CL CW CO CE ES SS SR SA RJ CL
  OUT     ab  CL RJ CL CL CL CL CL CL CL CL CL CL CL CL
  IN-ONLY d   ES I1 IN CS CR ES CO CE ES SS SR SA RJ CL
  IN-ONLY i   I1 IN IN IN IN IN CO CE ES SS SR SA IN IN
  IN-ONLY i_a CE CE CE CE CE CE CO CE ES SS SR SA RJ CL
  IN-ONLY c_e ES ES ES ES ES ES CO CE ES SS SR SA RJ CL
  IN-ONLY c_a ES I1 IN ES ES CW ES ES ES SS SR SA RJ CL
  IN-ONLY s   SR I1 IN CS CR CW CO CE SR SS SR SA RJ CL
  IN-ONLY s_a CL IN IN CS CR CW CO CE CL CL SR CL RJ CL
  IN-ONLY s_c CL CL CL CL CL CW CO CE ES SS CL CL RJ CL
  IN-ONLY err CL I1 IN CS CR CW CO CE ES SS SR SA RJ CL
  IN-ONLY ab  CL CL CL CL CL RJ CL CL CL CL CL CL CL CL`;

const machine = new StateMachine(SCTP);

const rows = TABLE.trim()
  .split("\n")
  .map((line) => line.trim().split(/\s+/) as [direction: string, event: string, ...string[]]);

test.for(rows)("sctp %s %s", ([direction, event, ...next]) => {
  const read = STATES.map(
    (_, state) => STATES[machine.next(DIRECTIONS.indexOf(direction), EVENTS.indexOf(event), state)],
  );
  expect(read.join(" ")).toBe(next.join(" "));
});

// biome-ignore format: a table
const facts: [state: string, name: string, seconds: number][] = [
  ["NO", "NONE",         2],
  ["I1", "INIT1",        4],
  ["IN", "INIT",        61],
  ["CS", "C-SENT",      61],
  ["CR", "C-REPLIED",   61],
  ["CW", "C-WAIT",      61],
  ["CO", "COOKIE",      61],
  ["CE", "C-ECHOED",    61],
  ["ES", "ESTABLISHED", 900],
  ["SS", "S-SENT",      61],
  ["SR", "S-RECEIVED",  61],
  ["SA", "S-ACK-SENT",  61],
  ["RJ", "REJECTED",     4],
  ["CL", "CLOSED",      61],
];

test.for(facts)("%s is printed as %s and lives %i s", ([state, name, seconds]) => {
  const number = STATES.indexOf(state);
  expect(machine.nameOf(number)).toBe(name);
  expect(machine.timeoutMs(number)).toBe(seconds * 1000);
  expect(machine.isActive(number)).toBe(state === "ES");
});

// The path of an association: "c" is a packet of the client, "s" of the server, after it the state.
const lives: [why: string, client: 0 | 2, story: string][] = [
  [
    "opened and closed by the client",
    0,
    "c:i I1, s:i_a CS, c:c_e CR, s:c_a ES, c:d ES, c:s SR, s:s_a SA, c:s_c CL",
  ],
  ["closed by the server", 0, "c:i I1, c:i IN, s:i_a CS, c:c_e CR, s:c_a ES, s:s SS, c:s_a CL"],
  ["rejected by the server", 0, "c:i I1, s:ab RJ, c:i IN"],
  ["opened by the server, rejected by the client", 0, "s:i CW, c:ab RJ"],
  ["seen from the client's side only", 2, "c:i I1, c:c_e ES, c:s SR, c:s_c CL"],
];

test.for(lives)("an association's life: %s", ([, client, story]) => {
  let state = 0;
  for (const step of story.split(", ")) {
    const [who, event, expected] = step.split(/[: ]/) as [string, string, string];
    state = machine.next(who === "c" ? client : 1, EVENTS.indexOf(event), state);
    expect(STATES[state], step).toBe(expected);
  }
});

const chunks: [why: string, first: number, second: number, event: string][] = [
  ["DATA", 0, -1, "d"],
  ["INIT", 1, -1, "i"],
  ["INIT ACK", 2, -1, "i_a"],
  ["SACK", 3, 0, "d"],
  ["HEARTBEAT", 4, -1, "d"],
  ["HEARTBEAT ACK", 5, -1, "d"],
  ["ABORT", 6, -1, "ab"],
  ["SHUTDOWN", 7, -1, "s"],
  ["SHUTDOWN ACK", 8, -1, "s_a"],
  ["ERROR", 9, 6, "err"],
  ["COOKIE ECHO", 10, 0, "c_e"],
  ["COOKIE ECHO with ABORT", 10, 6, "ab"],
  ["COOKIE ACK", 11, -1, "c_a"],
  ["COOKIE ACK with ABORT", 11, 6, "ab"],
  ["SHUTDOWN COMPLETE", 14, -1, "s_c"],
  ["an extension's chunk", 192, -1, "d"],
];

test.for(chunks)("of %s (%i, %i) the event is %s", ([, first, second, event]) => {
  expect(EVENTS[sctpEvent(first, second)]).toBe(event);
});
