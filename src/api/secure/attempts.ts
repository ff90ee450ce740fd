/** How often somebody who has no token may try, by address: memory for it is bounded, too. */

const WINDOW_MS = 60_000;
/** Of one address within the window. */
const FAILURES_MAX = 10;
/** Of all together: addresses are cheap. */
const FAILURES_IN_ALL_MAX = 600;
const ADDRESSES_MAX = 10_000;

export interface AttemptsOptions {
  readonly now?: () => number;
}

export class Attempts {
  readonly #now: () => number;
  readonly #failures = new Map<string, number>();
  #inAll = 0;
  #windowEnds: number;

  constructor({ now = () => performance.now() }: AttemptsOptions = {}) {
    this.#now = now;
    this.#windowEnds = now() + WINDOW_MS;
  }

  /** For how many seconds it shall not try again; 0: it may. */
  waitSeconds(address: string): number {
    this.#turn();
    const isOver =
      (this.#failures.get(networkOf(address)) ?? 0) >= FAILURES_MAX ||
      this.#inAll >= FAILURES_IN_ALL_MAX;
    return isOver ? Math.max(1, Math.ceil((this.#windowEnds - this.#now()) / 1_000)) : 0;
  }

  /** True for the first of an address in the window, which is worth a line in the log. */
  fail(address: string): boolean {
    this.#turn();
    this.#inAll++;
    const network = networkOf(address);
    const before = this.#failures.get(network) ?? 0;
    if (before > 0 || this.#failures.size < ADDRESSES_MAX) this.#failures.set(network, before + 1);
    return before === 0 && this.#failures.has(network);
  }

  #turn(): void {
    if (this.#now() < this.#windowEnds) return;
    this.#failures.clear();
    this.#inAll = 0;
    this.#windowEnds = this.#now() + WINDOW_MS;
  }
}

/** Who has one address of IPv6 has the whole /64. */
function networkOf(address: string): string {
  if (!address.includes(":") || address.startsWith("::ffff:")) return address;
  const [head = "", tail] = address.split("%")[0]!.split("::");
  const before = head.split(":");
  const after = tail === undefined ? [] : tail.split(":");
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}
