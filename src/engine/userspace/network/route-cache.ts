/**
 * The answers to the questions for routes that were asked last. A lookup allocates nothing.
 *
 * Each destination has one place; an answer that comes takes it from the one before. So a million clients cost no more
 * memory than a thousand.
 */
import type { Route } from "../../../ipvs/host.ts";
import type { Address } from "../../../net/address.ts";

export type RouteAnswer = Route | "local" | "unreachable";

const PLACES = 1 << 12;

interface Answered {
  readonly destination: Address;
  readonly answer: RouteAnswer;
}

export class RouteCache {
  readonly #places = Array.from<Answered | undefined>({ length: PLACES });

  find(destination: Address): RouteAnswer | undefined {
    const answered = this.#places[placeOf(destination)];
    return answered?.destination.equals(destination) === true ? answered.answer : undefined;
  }

  set(destination: Address, answer: RouteAnswer): void {
    this.#places[placeOf(destination)] = { destination, answer };
  }
}

function placeOf(destination: Address): number {
  return destination.hash & (PLACES - 1);
}
