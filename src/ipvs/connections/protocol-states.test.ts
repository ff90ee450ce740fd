import { expect, test } from "vitest";
import { DEFAULT_TIMEOUTS } from "../desired/service.ts";
import {
  assuresTemplate,
  PROTOCOL,
  ProtocolStates,
  TEMPLATE_STATE,
  templateStateName,
} from "./protocol-states.ts";
import { DIRECTION } from "./state-machine.ts";
import { TCP_EVENT, TCP_STATE } from "./tcp-state.ts";

test("the operator's timeouts are those of ESTABLISHED, FIN_WAIT and UDP", () => {
  const { tcp, udp } = new ProtocolStates({ tcp: 1, tcpFin: 2, udp: 3 }, { secureTcp: false });
  expect(tcp.timeoutMs(TCP_STATE.established)).toBe(1_000);
  expect(tcp.timeoutMs(TCP_STATE.finWait)).toBe(2_000);
  expect(tcp.timeoutMs(TCP_STATE.timeWait)).toBe(120_000);
  expect(udp.timeoutMs(0)).toBe(3_000);
});

test("one set of timeouts leaves the next one's alone", () => {
  new ProtocolStates({ tcp: 1, tcpFin: 2, udp: 3 }, { secureTcp: false });
  const { tcp, udp } = new ProtocolStates(DEFAULT_TIMEOUTS, { secureTcp: false });
  expect(tcp.timeoutMs(TCP_STATE.established)).toBe(900_000);
  expect(udp.timeoutMs(0)).toBe(300_000);
});

test("secure_tcp swaps the transitions", () => {
  const { inputOnly } = DIRECTION;
  const after = [false, true].map((secureTcp) =>
    new ProtocolStates(DEFAULT_TIMEOUTS, { secureTcp }).tcp.next(inputOnly, TCP_EVENT.syn, 0),
  );
  expect(after).toEqual([TCP_STATE.synRecv, TCP_STATE.synAck]);
});

test("UDP has one state and is never active", () => {
  const { udp } = new ProtocolStates(DEFAULT_TIMEOUTS, { secureTcp: false });
  for (const direction of Object.values(DIRECTION)) expect(udp.next(direction, 0, 0)).toBe(0);
  expect(udp.nameOf(0)).toBe("UDP");
  expect(udp.isActive(0)).toBe(false);
});

test("only what is balanced has states", () => {
  const states = new ProtocolStates(DEFAULT_TIMEOUTS, { secureTcp: false });
  expect(states.of(PROTOCOL.tcp)).toBe(states.tcp);
  expect(states.of(PROTOCOL.udp)).toBe(states.udp);
  expect(states.of(PROTOCOL.sctp)).toBe(states.sctp);
  expect(states.of(1)).toBeUndefined();
});

// biome-ignore format: a table
const assurances: [why: string, protocol: number, direction: number, state: number, assured: boolean][] = [
  ["TCP, established",  6,   DIRECTION.inputOnly, 1, true],
  ["TCP, SYN_RECV",     6,   DIRECTION.output,    3, false],
  ["UDP, a request",    17,  DIRECTION.input,     0, false],
  ["UDP, a reply",      17,  DIRECTION.output,    0, true],
  ["SCTP, established", 132, DIRECTION.input,     8, true],
  ["SCTP, C-SENT",      132, DIRECTION.output,    3, false],
];

test.for(assurances)(
  "a template is assured or not by %s",
  ([, protocol, direction, state, assured]) => {
    expect(assuresTemplate(protocol, direction, state)).toBe(assured);
  },
);

test("a template's state is printed as NONE or ASSURED", () => {
  expect(templateStateName(TEMPLATE_STATE.none)).toBe("NONE");
  expect(templateStateName(TEMPLATE_STATE.assured)).toBe("ASSURED");
});
