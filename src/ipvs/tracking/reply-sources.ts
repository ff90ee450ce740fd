/**
 * Rules out, for the price of one read, that a packet is a reply: no connection waits for one from its address and port.
 *
 * Counts connections by a hash of where their replies come from: the real server's address and port where it is
 * masqueraded, the virtual service's where not. Clients' packets, which are most, come from elsewhere. A shared slot
 * only costs a lookup.
 */
const SLOTS_SHIFT = 12;

export class ReplySources {
  readonly #counts = new Uint32Array(1 << SLOTS_SHIFT);

  /** `fold` is the address's words XORed. */
  add(fold: number, port: number): void {
    const slot = slotOf(fold, port);
    this.#counts[slot] = this.#counts[slot]! + 1;
  }

  delete(fold: number, port: number): void {
    const slot = slotOf(fold, port);
    this.#counts[slot] = this.#counts[slot]! - 1;
  }

  /** False: certainly none. */
  has(fold: number, port: number): boolean {
    return this.#counts[slotOf(fold, port)] !== 0;
  }
}

function slotOf(fold: number, port: number): number {
  return Math.imul(fold ^ Math.imul(port, 0x85ebca6b), 0x9e3779b1) >>> (32 - SLOTS_SHIFT);
}
