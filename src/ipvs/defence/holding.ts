/**
 * What one service holds of the connection table: how many entries, and in the order in which they go, those that give
 * way to new connections when the table fills up.
 */
import { PROTOCOL } from "../connections/protocol-states.ts";
import { SCTP_STATE } from "../connections/sctp-state.ts";
import { TCP_STATE } from "../connections/tcp-state.ts";

export const NO_ENTRY = -1;

/** How an entry gives way: not at all; because it never became a connection; because its connection has ended. */
export const WAY = { none: 0, halfOpen: 1, ended: 2 } as const;

/** Of each way. An ordinary array: a typed one of three would take ten times the memory, and each service has two. */
const NO_ENTRIES: readonly number[] = Object.values(WAY).map(() => NO_ENTRY);

/** More packets than this from its client, and a datagram was the beginning of a conversation. */
const DATAGRAMS = 1;

/** How an entry of this state gives way. Templates are the tracker's to judge. */
export function wayOf(protocol: number, state: number, packets: number): number {
  switch (protocol) {
    case PROTOCOL.tcp:
      return wayOfTcp(state);
    case PROTOCOL.sctp:
      if (state < SCTP_STATE.established) return WAY.halfOpen;
      return state === SCTP_STATE.closed || state === SCTP_STATE.rejected ? WAY.ended : WAY.none;
    default:
      return packets <= DATAGRAMS ? WAY.halfOpen : WAY.none;
  }
}

/** Of what has ended connection tracking, too, lets go early: tcp_can_early_drop() in nf_conntrack_proto_tcp.c. */
function wayOfTcp(state: number): number {
  switch (state) {
    case TCP_STATE.none:
    case TCP_STATE.synSent:
    case TCP_STATE.synRecv:
    case TCP_STATE.synAck:
      return WAY.halfOpen;
    case TCP_STATE.timeWait:
    case TCP_STATE.close:
      return WAY.ended;
    default:
      return WAY.none;
  }
}

export class Holding {
  /** Connections and templates that were opened for the service. */
  entries = 0;
  /** Its place among the services that hold any. */
  place = NO_ENTRY;
  /** The last batch of packets under pressure in which it opened a connection: see Defence. */
  openedIn = 0;
  /** By way, the entry that goes first, and the one that goes last. */
  readonly first = NO_ENTRIES.slice();
  readonly last = NO_ENTRIES.slice();

  has(way: number): boolean {
    return this.first[way] !== NO_ENTRY;
  }
}
