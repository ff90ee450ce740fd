/** Says on stderr now and then how far each side is: plain lines, as for a log. */

const INTERVAL_MS = 10_000;

export class Progress implements Disposable {
  readonly #total: number;
  readonly #done = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(total: number) {
    this.#total = total;
    this.#timer = setInterval(() => this.#say(), INTERVAL_MS);
  }

  /** A side has done so many cases. */
  tell(side: string, done: number): void {
    this.#done.set(side, done);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #say(): void {
    const sides = [...this.#done].map(([side, done]) => `${side} ${done}`);
    const soFar = sides.length === 0 ? "booting" : sides.join(", ");
    process.stderr.write(`conformance: ${soFar} of ${this.#total} cases\n`);
  }
}
