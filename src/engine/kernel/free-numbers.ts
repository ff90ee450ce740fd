/** Numbers from 0 up to an end: each is the one's who took it until he gives it back. */
export class FreeNumbers {
  readonly #end: number;
  /** Given back; the last one first. */
  readonly #free: number[] = [];
  /** All from here on were never taken. */
  #fresh = 0;

  constructor(end: number) {
    this.#end = end;
  }

  /** These are taken already. To be called before any is. */
  reserve(taken: ReadonlySet<number>): void {
    this.#fresh = Math.max(-1, ...taken) + 1;
    for (let number = this.#fresh - 1; number >= 0; number--) {
      if (!taken.has(number)) this.#free.push(number);
    }
  }

  /** Undefined when there is none left. */
  take(): number | undefined {
    return this.#free.pop() ?? (this.#fresh < this.#end ? this.#fresh++ : undefined);
  }

  giveBack(number: number): void {
    this.#free.push(number);
  }
}
