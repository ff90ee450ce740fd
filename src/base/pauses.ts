/** How long work may hold the event loop, in milliseconds: packets wait meanwhile. */
const SLICE_MS = 2;

/** Lets all else go on between the parts of a long work. */
export class Pauses {
  #until = performance.now() + SLICE_MS;

  /** To be awaited between two parts. Costs nothing while the slice is not used up. */
  async ifDue(): Promise<void> {
    if (performance.now() < this.#until) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#until = performance.now() + SLICE_MS;
  }
}

/** Runs what pauses now and then; other work goes on meanwhile. */
export async function withPauses<Value>(work: Generator<undefined, Value>): Promise<Value> {
  const pauses = new Pauses();
  let step = work.next();
  while (!step.done) {
    await pauses.ifDue();
    step = work.next();
  }
  return step.value;
}
