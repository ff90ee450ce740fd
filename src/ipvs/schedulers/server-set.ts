import { isLess, leastLoaded, overhead } from "./load.ts";
import type { Candidate } from "./scheduler.ts";

/** More removed servers than wait in the trash of any service that is edited by hand or by health checks. */
const REMOVED_MAX = 256;

/** The servers that lblcr has for one address: struct ip_vs_dest_set of ip_vs_lblcr.c. */
export class ServerSet<Kind extends Candidate> {
  /** The newest first. */
  #members: Kind[];
  #lastChange: number;

  constructor(first: Kind, now: number) {
    this.#members = [first];
    this.#lastChange = now;
  }

  copy<Other extends Candidate>(counterpart: (of: Kind) => Other): ServerSet<Other> {
    const [first, ...others] = this.#members.map(counterpart);
    const copied = new ServerSet(first!, this.#lastChange);
    copied.#members.push(...others);
    return copied;
  }

  get size(): number {
    return this.#members.length;
  }

  /** When a server was last added or given up, in milliseconds. */
  get lastChange(): number {
    return this.#lastChange;
  }

  /** Of those that may take a connection; undefined when none may. ip_vs_dest_set_min(). */
  leastLoaded(): Kind | undefined {
    return leastLoaded(this.#members, overhead);
  }

  /**
   * Adds a server. Removed ones stay, as they may come back, but go when REMOVED_MAX more are there than `configured`,
   * the destinations of the service: the kernel's set grows for ever where servers come and go.
   */
  add(server: Kind, configured: number, now: number): void {
    if (this.#members.includes(server)) return;
    if (this.#members.length >= configured + REMOVED_MAX) {
      this.#members = this.#members.filter(({ isAvailable }) => isAvailable);
    }
    this.#members.unshift(server);
    this.#lastChange = now;
  }

  /** The last server stays. A drained one counts as not loaded, a removed one as it was. ip_vs_dest_set_max(). */
  giveUpMostLoaded(now: number): void {
    if (this.#members.length === 1) return;
    let most: Kind | undefined;
    for (const member of this.#members) {
      if (member.weight === 0) continue;
      if (most === undefined || isMoreLoaded(member, most)) most = member;
    }
    if (most === undefined) return;
    this.#members.splice(this.#members.indexOf(most), 1);
    this.#lastChange = now;
  }
}

function isMoreLoaded(one: Candidate, other: Candidate): boolean {
  return isLess(overhead(other), other.weight, overhead(one), one.weight);
}
