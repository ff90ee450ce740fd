/** Work that is done on every service from time to time, a part at a time: with 100,000 servers packets would wait 50 ms. */
import type { VirtualService } from "./virtual-service.ts";

export interface RoundOptions {
  readonly services: () => IterableIterator<VirtualService>;
  /** Does the work on a service and its destinations. */
  readonly visit: (service: VirtualService) => void;
}

export class Round {
  readonly #options: RoundOptions;
  #left: IterableIterator<VirtualService> | undefined;

  constructor(options: RoundOptions) {
    this.#options = options;
  }

  /** Begins; a round that is not done goes on instead. */
  begin(): void {
    this.#left ??= this.#options.services();
  }

  get isBusy(): boolean {
    return this.#left !== undefined;
  }

  /** Goes on, with some `budget` services and destinations. Services that come or go meanwhile may be left out. */
  work(budget: number): void {
    for (let done = 0; this.#left !== undefined && done < budget; ) {
      const { value, done: isOver } = this.#left.next();
      if (isOver === true) {
        this.#left = undefined;
        return;
      }
      this.#options.visit(value);
      done += 1 + value.destinations.length;
    }
  }
}
