/**
 * drop_entry: connections that look like those of an attack are given up at random.
 *
 * Each second a 32nd of the table, some of it twice: ip_vs_random_dropentry() and todrop_entry() in ip_vs_conn.c. The
 * kernel takes random rows of its hash table; a row here is every 4096th entry, as many as its rows by default.
 */
import type { Instant } from "../../base/clock.ts";
import { type Prng, prng } from "../../base/prng.ts";
import type { ConnectionTable } from "../connections/connection-table.ts";
import { CONNECTION_FLAG } from "../connections/flow.ts";
import { PROTOCOL, TEMPLATE_STATE } from "../connections/protocol-states.ts";
import { SCTP_STATE } from "../connections/sctp-state.ts";
import { TCP_STATE } from "../connections/tcp-state.ts";

const ROWS = 4096;
const ROWS_A_SECOND = ROWS / 32;

/** Normal connections get through in this time. */
const SPARED_MS = 60_000;
/** A connection that had more packets is none of an attack; of those that had n, one in n goes. */
const PACKETS_MAX = 8;

export interface Dropping {
  readonly table: ConnectionTable;
  readonly seed: number;
  /** Whether the entry's service schedules every datagram by itself. */
  readonly isOnePacket: (id: number) => boolean;
  readonly drop: (id: number) => void;
}

export class EntryDropper {
  readonly #dropping: Dropping;
  readonly #chance: Prng;
  /** How many candidates with so many packets are let go before the next is dropped. */
  readonly #spared = new Int8Array(PACKETS_MAX + 1);
  #rowsLeft = 0;
  /** The next entry of the row that is being looked at; negative between rows. */
  #next = -1;

  constructor(dropping: Dropping) {
    this.#dropping = dropping;
    this.#chance = prng(dropping.seed);
  }

  /** Begins a second's work. */
  begin(): void {
    this.#rowsLeft = ROWS_A_SECOND;
  }

  get isBusy(): boolean {
    return this.#rowsLeft > 0;
  }

  /** Goes on with the work, on at most `budget` rows and entries. */
  work(now: Instant, budget: number): void {
    const { table, drop } = this.#dropping;
    for (let looked = 0; this.#rowsLeft > 0 && looked < budget; looked++) {
      if (this.#next < 0) this.#next = this.#chance.below(ROWS);
      const id = this.#next;
      if (id >= table.idEnd) {
        this.#next = -1;
        this.#rowsLeft--;
        continue;
      }
      this.#next += ROWS;
      if (table.has(id) && this.#isToGo(id, now)) drop(id);
    }
  }

  #isToGo(id: number, now: Instant): boolean {
    const { table, isOnePacket } = this.#dropping;
    if (table.controlledCount(id) > 0) return false;
    const state = table.state(id);
    if ((table.flags(id) & CONNECTION_FLAG.template) !== 0) {
      return isOnePacket(id) ? this.#isFeeble(id, now) : state !== TEMPLATE_STATE.assured;
    }
    switch (table.protocol(id)) {
      case PROTOCOL.tcp:
        if (state === TCP_STATE.synRecv || state === TCP_STATE.synAck) return true;
        return state === TCP_STATE.established && this.#isFeeble(id, now);
      case PROTOCOL.sctp:
        if (state === SCTP_STATE.init1 || state === SCTP_STATE.init) return true;
        return state === SCTP_STATE.established && this.#isFeeble(id, now);
      default:
        return this.#isFeeble(id, now);
    }
  }

  /** Idle for a minute, had few packets, and its turn. */
  #isFeeble(id: number, now: Instant): boolean {
    const { table } = this.#dropping;
    table.catchUp(id);
    if (now + table.timeoutMs(id) < table.expiresAt(id) + SPARED_MS) return false;
    const packets = table.inPackets(id);
    if (packets === 0 || packets > PACKETS_MAX) return false;
    this.#spared[packets]!--;
    if (this.#spared[packets]! > 0) return false;
    this.#spared[packets] = packets;
    return true;
  }
}
