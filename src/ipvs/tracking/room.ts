/** Who has a place in the connection table, and who gives way when it fills up: docs/decisions/0009-a-full-table.md. */
import { type ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";
import { CONNECTION_FLAG } from "../connections/flow.ts";
import { TEMPLATE_STATE } from "../connections/protocol-states.ts";
import { type Holding, WAY, wayOf } from "../defence/holding.ts";
import type { TableShares } from "../defence/table-shares.ts";
import type { Reason, Yielding } from "../packets/reasons.ts";
import type { VirtualService } from "../services/virtual-service.ts";

interface Surroundings {
  /** Whether there is one service at most. */
  readonly isAlone: () => boolean;
  /** Forgets an entry at once. */
  readonly giveUp: (id: number) => void;
}

export class Room {
  readonly #table: ConnectionTable;
  readonly #shares: TableShares;
  readonly #surroundings: Surroundings;
  /** Why there was no room for the last entry that found none. */
  refusal: Reason = "drop-table-full";
  #gaveWayHalfOpen = 0;
  #gaveWayEnded = 0;

  constructor(table: ConnectionTable, shares: TableShares, surroundings: Surroundings) {
    this.#table = table;
    this.#shares = shares;
    this.#surroundings = surroundings;
  }

  /**
   * Whether the table has room for one more entry of a service, if need be because another gives way; else `refusal` says
   * why. To be asked before each entry.
   */
  makeFor({ holding }: VirtualService): boolean {
    const table = this.#table;
    const shares = this.#shares;
    if (shares.admits(holding, this.#surroundings.isAlone())) return true;
    const id = shares.findYielding(holding);
    if (id === NO_CONNECTION) {
      this.refusal = table.size < table.limit ? "drop-service-share" : "drop-table-full";
      return false;
    }
    if (shares.way(id) === WAY.halfOpen) this.#gaveWayHalfOpen++;
    else this.#gaveWayEnded++;
    this.#surroundings.giveUp(id);
    return true;
  }

  /** An entry was added to the table. */
  enter(id: number, holder: Holding): void {
    const table = this.#table;
    const way = this.#isTemplate(id)
      ? WAY.none
      : wayOf(table.protocol(id), table.state(id), table.inPackets(id));
    this.#shares.enter(id, holder, way);
  }

  /** An entry is about to be taken out. */
  leave(id: number): void {
    this.#shares.leave(id);
  }

  /** Keeps an entry from giving way: what is under way needs it. */
  hold(id: number): void {
    this.#shares.setWay(id, WAY.none);
  }

  /** A template may give way as long as it controls nothing and never led to a conversation. */
  release(template: number): void {
    const table = this.#table;
    if (table.controlledCount(template) > 0) return;
    if (table.state(template) === TEMPLATE_STATE.assured) return;
    if (this.#isTemplate(template)) this.#shares.setWay(template, WAY.halfOpen);
  }

  /** How many entries gave way to new connections. */
  gaveWay(): Record<Yielding, number> {
    return { "gave-way-half-open": this.#gaveWayHalfOpen, "gave-way-ended": this.#gaveWayEnded };
  }

  #isTemplate(id: number): boolean {
    return (this.#table.flags(id) & CONNECTION_FLAG.template) !== 0;
  }
}
