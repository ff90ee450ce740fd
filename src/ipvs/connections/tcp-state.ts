/**
 * TCP as a load balancer sees it: from the outside, and often only one direction of it.
 *
 * States, transitions and timeouts follow tcp_states[] and tcp_timeouts[] in the kernel's ip_vs_proto_tcp.c, and
 * tcp-state.test.ts reads the tables row by row. To change behaviour, change a row and its test.
 */
import { TCP_FLAG } from "../../net/tcp.ts";
import type { StateTable } from "./state-machine.ts";

/** The kernel's numbers: IP_VS_TCP_S_*. */
export const TCP_STATE = {
  none: 0,
  established: 1,
  synSent: 2,
  synRecv: 3,
  finWait: 4,
  timeWait: 5,
  close: 6,
  closeWait: 7,
  lastAck: 8,
  listen: 9,
  synAck: 10,
} as const;

/** The flag that decides; `other` is a segment with none of them. */
export const TCP_EVENT = { syn: 0, fin: 1, ack: 2, rst: 3, other: 4 } as const;

/** The event in a header's flags, in the kernel's order of precedence (tcp_state_idx): RST, SYN, FIN, ACK. */
export function tcpEvent(flags: number): number {
  if ((flags & TCP_FLAG.rst) !== 0) return TCP_EVENT.rst;
  if ((flags & TCP_FLAG.syn) !== 0) return TCP_EVENT.syn;
  if ((flags & TCP_FLAG.fin) !== 0) return TCP_EVENT.fin;
  if ((flags & TCP_FLAG.ack) !== 0) return TCP_EVENT.ack;
  return TCP_EVENT.other;
}

const ES = TCP_STATE.established;
const SS = TCP_STATE.synSent;
const SR = TCP_STATE.synRecv;
const FW = TCP_STATE.finWait;
const TW = TCP_STATE.timeWait;
const CL = TCP_STATE.close;
const CW = TCP_STATE.closeWait;
const LA = TCP_STATE.lastAck;
const LI = TCP_STATE.listen;
const SA = TCP_STATE.synAck;

// biome-ignore format: a table
const STATES = {
  names:           ["NONE", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "SYNACK"],
  timeoutsSeconds: [2,      900,           120,        60,         120,        120,         10,      60,           30,         120,      120],
  active:          [ES, SS, SR, SA],
};

// biome-ignore format: a table
const NORMAL = {
  input: [
    //       NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA
    /*syn*/ [SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR],
    /*fin*/ [CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW],
    /*ack*/ [ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES],
    /*rst*/ [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR],
    /*---*/ [CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL],
  ],
  output: [
    //       NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA
    /*syn*/ [SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR],
    /*fin*/ [TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW],
    /*ack*/ [ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES],
    /*rst*/ [CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL],
    /*---*/ [CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL],
  ],
  inputOnly: [
    //       NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA
    /*syn*/ [SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR],
    /*fin*/ [CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW],
    /*ack*/ [ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES],
    /*rst*/ [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL],
    /*---*/ [CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL],
  ],
};

/** For secure_tcp, against SYN floods: a client's ACK establishes nothing that no server has answered. */
// biome-ignore format: a table
const SECURE = {
  input: [
    //       NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA
    /*syn*/ [SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SA],
    /*fin*/ [CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, SA],
    /*ack*/ [ES, ES, SS, SR, FW, TW, CL, CW, CL, LI, SA],
    /*rst*/ [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL],
    /*---*/ [CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL],
  ],
  output: [
    //       NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA
    /*syn*/ [SS, ES, SS, SA, SS, SS, SS, SS, SS, LI, SA],
    /*fin*/ [TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW],
    /*ack*/ [ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES],
    /*rst*/ [CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL],
    /*---*/ [CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL],
  ],
  inputOnly: [
    //       NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA
    /*syn*/ [SA, ES, ES, SR, SA, SA, SA, SA, SA, SA, SA],
    /*fin*/ [CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW],
    /*ack*/ [ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES],
    /*rst*/ [CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL],
    /*---*/ [CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL],
  ],
};

export const TCP: StateTable = {
  ...STATES,
  transitions: [NORMAL.input, NORMAL.output, NORMAL.inputOnly],
};

/** TCP while the sysctl secure_tcp is in force. Only transitions differ. */
export const SECURE_TCP: StateTable = {
  ...STATES,
  transitions: [SECURE.input, SECURE.output, SECURE.inputOnly],
};
