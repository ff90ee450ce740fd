/** Calls begin a few at a time, so that whoever sends thousands at once does not keep packets waiting. */

/** Calls that may begin before packets have their turn: some two milliseconds' work. */
const CALLS_A_TURN = 8;

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #begun = 0;
  #isWaiting = false;

  /** Resolves when one call more may begin: they do in the order in which they came. */
  take(): Promise<void> {
    this.#countTurn();
    if (this.#begun < CALLS_A_TURN && this.#waiting.length === 0) {
      this.#begun++;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #countTurn(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#isWaiting = false;
    const next = this.#waiting.splice(0, CALLS_A_TURN);
    this.#begun = next.length;
    if (this.#begun > 0) this.#countTurn();
    for (const begin of next) begin();
  }
}
