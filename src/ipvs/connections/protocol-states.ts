/** The state machines of the protocols that are balanced, with the operator's timeouts in force. */
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Timeouts } from "../desired/service.ts";
import { SCTP, SCTP_STATE } from "./sctp-state.ts";
import { DIRECTION, StateMachine, type StateTable } from "./state-machine.ts";
import { SECURE_TCP, TCP, TCP_STATE } from "./tcp-state.ts";
import { UDP, UDP_STATE } from "./udp-state.ts";

/** What connections are of: IP protocol numbers. 0 is a firewall mark's template. */
export const PROTOCOL = {
  ip: 0,
  tcp: IP_PROTOCOL.tcp,
  udp: IP_PROTOCOL.udp,
  sctp: IP_PROTOCOL.sctp,
} as const;

/**
 * How long a connection lives before a packet's event has given it its state's timeout: ip_vs_conn_new().
 * Every protocol begins in state 0.
 */
export const NEW_CONNECTION_MS = 3_000;

/** How long a template (or other control) whose time is over waits for the connections it controls. */
export const CONTROLLING_MS = 60_000;

/** A template is assured once a connection through it came about. */
export const TEMPLATE_STATE = { none: 0, assured: 1 } as const;

export class ProtocolStates {
  readonly tcp: StateMachine;
  readonly udp: StateMachine;
  readonly sctp = new StateMachine(SCTP);

  constructor(timeouts: Timeouts, { secureTcp }: { readonly secureTcp: boolean }) {
    this.tcp = new StateMachine(
      withTimeouts(secureTcp ? SECURE_TCP : TCP, [
        [TCP_STATE.established, timeouts.tcp],
        [TCP_STATE.finWait, timeouts.tcpFin],
      ]),
    );
    this.udp = new StateMachine(withTimeouts(UDP, [[UDP_STATE.normal, timeouts.udp]]));
  }

  /** The machine of an IP protocol that is balanced; undefined for every other. */
  of(protocol: number): StateMachine | undefined {
    switch (protocol) {
      case PROTOCOL.tcp:
        return this.tcp;
      case PROTOCOL.udp:
        return this.udp;
      case PROTOCOL.sctp:
        return this.sctp;
      default:
        return undefined;
    }
  }
}

/** Whether a packet that left its connection in `state` assures the template: established, or a UDP reply. */
export function assuresTemplate(protocol: number, direction: number, state: number): boolean {
  switch (protocol) {
    case PROTOCOL.tcp:
      return state === TCP_STATE.established;
    case PROTOCOL.udp:
      return direction === DIRECTION.output;
    case PROTOCOL.sctp:
      return state === SCTP_STATE.established;
    default:
      return false;
  }
}

/** A template's state as `ipvsadm -lnc` prints it. */
export function templateStateName(state: number): string {
  return state === TEMPLATE_STATE.assured ? "ASSURED" : "NONE";
}

function withTimeouts(
  table: StateTable,
  changes: readonly (readonly [state: number, seconds: number])[],
): StateTable {
  const timeoutsSeconds = [...table.timeoutsSeconds];
  for (const [state, seconds] of changes) timeoutsSeconds[state] = seconds;
  return { ...table, timeoutsSeconds };
}
