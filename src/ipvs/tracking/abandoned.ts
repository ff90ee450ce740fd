/**
 * Connections that are given up because their destination is not configured any more, with expire_nodest_conn: gone for
 * everybody at once, and forgotten bit by bit, so that no call takes long. ip_vs_expire_nodest_conn_flush().
 */
import { type ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";

export interface Abandoning {
  readonly table: ConnectionTable;
  /** Gives up all connections of removed destinations. */
  readonly abandon: () => void;
  readonly isGone: (id: number) => boolean;
  /** Forgets a connection at once, unless others hang on it. */
  readonly giveUp: (id: number) => void;
}

export class Abandoned {
  readonly #abandoning: Abandoning;
  /** The last one looked at; unset when there is nothing to look for. */
  #sweptTo: number | undefined;

  constructor(abandoning: Abandoning) {
    this.#abandoning = abandoning;
  }

  begin(): void {
    this.#abandoning.abandon();
    this.#sweptTo = NO_CONNECTION;
  }

  get isBusy(): boolean {
    return this.#sweptTo !== undefined;
  }

  /** Goes on with forgetting, on at most `budget` connections. */
  sweep(budget: number): void {
    if (this.#sweptTo === undefined) return;
    const { table, isGone } = this.#abandoning;
    let last = this.#sweptTo;
    for (let looked = 0; looked < budget; looked++) {
      const id = table.nextId(last);
      if (id === NO_CONNECTION) {
        this.#sweptTo = undefined;
        return;
      }
      last = id;
      if (isGone(id)) this.forget(id);
    }
    this.#sweptTo = last;
  }

  /** A template goes with the last of its connections. */
  forget(id: number): void {
    const { table, giveUp } = this.#abandoning;
    const control = table.control(id);
    giveUp(id);
    if (control !== NO_CONNECTION) giveUp(control);
  }
}
