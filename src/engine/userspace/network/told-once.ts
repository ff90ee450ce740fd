/** Counts what goes wrong by its name, and tells the first of each kind. */
export class ToldOnce {
  readonly #tell: (name: string) => void;
  readonly #counts = new Map<string, number>();

  constructor(tell: (name: string) => void) {
    this.#tell = tell;
  }

  count(name: string): void {
    const before = this.#counts.get(name) ?? 0;
    this.#counts.set(name, before + 1);
    if (before === 0) this.#tell(name);
  }

  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
