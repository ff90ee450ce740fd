/** A set of what several have a share in: something is there as long as anybody's share is. */
export class Tally<Item> {
  readonly #shares = new Map<Item, number>();

  /** True when it was not there before. */
  add(item: Item): boolean {
    const shares = this.#shares.get(item) ?? 0;
    this.#shares.set(item, shares + 1);
    return shares === 0;
  }

  /** True when it is there no more. */
  delete(item: Item): boolean {
    const shares = this.#shares.get(item);
    if (shares === undefined) return false;
    if (shares > 1) this.#shares.set(item, shares - 1);
    else this.#shares.delete(item);
    return shares === 1;
  }

  has(item: Item): boolean {
    return this.#shares.has(item);
  }

  get size(): number {
    return this.#shares.size;
  }

  keys(): MapIterator<Item> {
    return this.#shares.keys();
  }
}
