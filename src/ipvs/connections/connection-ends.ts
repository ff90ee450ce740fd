/** A connection's addresses and ports, as whoever rewrites packets wants them. */
import type { ConnectionTable } from "./connection-table.ts";
import { FORWARDING, FORWARDING_MASK } from "./flow.ts";

/** Four signed words, as an Address has them. */
export interface Words {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

export class ConnectionEnds {
  readonly #table: ConnectionTable;
  /** Reused for every answer. */
  readonly #words = { w0: 0, w1: 0, w2: 0, w3: 0 };

  constructor(table: ConnectionTable) {
    this.#table = table;
  }

  /** Where the connection's packets go. The object is reused. */
  to(id: number): Words {
    return this.#fill(id, "destination");
  }

  port(id: number): number {
    return this.#table.destinationPort(id);
  }

  /** What its client talks to. The object is reused. */
  virtual(id: number): Words {
    return this.#fill(id, "virtual");
  }

  virtualPort(id: number): number {
    return this.#table.virtualPort(id);
  }

  /** Where its replies come from: the address's words XORed. */
  replyFold(id: number): number {
    const { w0, w1, w2, w3 } = this.#isMasqueraded(id) ? this.to(id) : this.virtual(id);
    return w0 ^ w1 ^ w2 ^ w3;
  }

  replyPort(id: number): number {
    return this.#isMasqueraded(id) ? this.port(id) : this.virtualPort(id);
  }

  #isMasqueraded(id: number): boolean {
    return (this.#table.flags(id) & FORWARDING_MASK) === FORWARDING.masquerade;
  }

  #fill(id: number, end: "destination" | "virtual"): Words {
    const words = this.#words;
    words.w0 = this.#table[end](id, 0);
    words.w1 = this.#table[end](id, 1);
    words.w2 = this.#table[end](id, 2);
    words.w3 = this.#table[end](id, 3);
    return words;
  }
}
