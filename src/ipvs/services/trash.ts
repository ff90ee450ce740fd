import { type DestinationPlan, formatEndpoint } from "../desired/service.ts";
import type { Destination } from "./destination.ts";
import { destinationKey } from "./destination-key.ts";
import type { VirtualService } from "./virtual-service.ts";

/** How often the trash is looked through, and how long a destination stays after its last connection. */
const CHECK_INTERVAL_MS = 60_000;
const IDLE_MS = 120_000;

/**
 * Removed destinations, kept while connections point at them and two minutes longer.
 *
 * Adding the same server to the same service meanwhile revives the very object, so that its connections work and
 * count on: ip_vs_trash_get_dest() and ip_vs_dest_trash_expire() in ip_vs_ctl.c.
 *
 * Of servers of an earlier process's connections only their keys are known: they lie here by those.
 */
export class Trash {
  readonly #destinations = new Map<string | number, Destination>();
  readonly #idleSince = new Map<Destination, number>();
  #orphans = 0;
  /** Unset while it is empty. */
  #nextCheck: number | undefined;

  add(destination: Destination): void {
    this.#destinations.set(textOf(destination.service, destination.plan), destination);
  }

  addOrphan(destination: Destination): void {
    this.#orphans++;
    this.#destinations.set(destination.key, destination);
  }

  orphan(key: number): Destination | undefined {
    return this.#destinations.get(key);
  }

  /** Takes the destination out that `plan` revives, if there is one. */
  revive(service: VirtualService, plan: DestinationPlan): Destination | undefined {
    const text = textOf(service, plan);
    if (this.#destinations.has(text)) return this.#take(text);
    return this.#orphans > 0 ? this.#take(destinationKey(service.keyText, plan)) : undefined;
  }

  #take(key: string | number): Destination | undefined {
    const destination = this.#destinations.get(key);
    if (destination === undefined) return undefined;
    if (destination.isOrphan) this.#orphans--;
    this.#destinations.delete(key);
    this.#idleSince.delete(destination);
    return destination;
  }

  /** Forgets those idle for long enough; looks once a minute, first a minute after something came in. */
  expire(now: number, forget: (destination: Destination) => void): void {
    if (this.#destinations.size === 0) {
      this.#nextCheck = undefined;
      return;
    }
    this.#nextCheck ??= now + CHECK_INTERVAL_MS;
    if (now < this.#nextCheck) return;
    this.#nextCheck = now + CHECK_INTERVAL_MS;
    for (const [key, destination] of this.#destinations) {
      if (destination.connections + destination.persistentConnections > 0) {
        this.#idleSince.delete(destination);
        continue;
      }
      const since = this.#idleSince.get(destination);
      if (since === undefined) this.#idleSince.set(destination, now);
      else if (now - since >= IDLE_MS) {
        this.#take(key);
        forget(destination);
      }
    }
  }
}

function textOf(service: VirtualService, plan: DestinationPlan): string {
  return `${service.keyText} ${formatEndpoint(plan.endpoint)}`;
}
