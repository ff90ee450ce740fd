/** Entries above which idle ones are removed early, and above which no new ones are made (max_size, 1.5 max_size). */
const SIZE_WANTED = 16_384;
const SIZE_MAX = 24_576;

/** CHECK_EXPIRE_INTERVAL, COUNT_FOR_FULL_EXPIRATION and ENTRY_TIMEOUT of ip_vs_lblc.c. */
const CHECK_INTERVAL_MS = 60_000;
const CHECKS_PER_FULL_CHECK = 30;
const IDLE_WHEN_CROWDED_MS = 6 * 60_000;

export interface AddressCacheEntry {
  /** Milliseconds. */
  lastUse: number;
}

/**
 * What lblc and lblcr remember for each destination address of packets.
 *
 * Every thirtieth minute entries idle for the expiration go. In the other minutes, while there are more than
 * SIZE_WANTED, entries idle for 6 minutes go, the first made first: four for three that are too many, at most half
 * of SIZE_WANTED. (The kernel goes through its hash buckets in turn and stops after a whole one.)
 *
 * Invariant: `size` <= SIZE_MAX.
 */
export class AddressCache<Entry extends AddressCacheEntry> {
  readonly #entries = new Map<string, Entry>();
  readonly #expirationSeconds: () => number;
  #nextCheck: number | undefined;
  #check = 1;
  #uncached = 0;

  constructor(expirationSeconds: () => number) {
    this.#expirationSeconds = expirationSeconds;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How many entries were refused because the cache was full. */
  get uncached(): number {
    return this.#uncached;
  }

  /** The entry for `address`, which this use keeps alive. */
  use(address: string, now: number): Entry | undefined {
    const entry = this.#entries.get(address);
    if (entry !== undefined) entry.lastUse = now;
    return entry;
  }

  /** Remembers `entry`, unless the cache is full: that is counted. */
  add(address: string, entry: Entry): void {
    if (this.#entries.size >= SIZE_MAX && !this.#entries.has(address)) this.#uncached++;
    else this.#entries.set(address, entry);
  }

  /** Another one with as many entries, each as `entry` makes it, and as far with its checks. */
  copy<Other extends AddressCacheEntry>(entry: (of: Entry) => Other): AddressCache<Other> {
    const copied = new AddressCache<Other>(this.#expirationSeconds);
    for (const [address, each] of this.#entries) copied.#entries.set(address, entry(each));
    copied.#nextCheck = this.#nextCheck;
    copied.#check = this.#check;
    copied.#uncached = this.#uncached;
    return copied;
  }

  /** Looks at its entries once a minute: ip_vs_lblc_check_expire(). */
  tick(now: number): void {
    this.#nextCheck ??= now + CHECK_INTERVAL_MS;
    if (now < this.#nextCheck) return;
    this.#nextCheck = now + CHECK_INTERVAL_MS;

    if (this.#check === CHECKS_PER_FULL_CHECK) {
      this.#removeIdle(now - this.#expirationSeconds() * 1000, SIZE_MAX);
      this.#check = 1;
      return;
    }
    const excess = this.#entries.size - SIZE_WANTED;
    if (excess <= 0) this.#check++;
    else {
      const goal = Math.min(Math.floor((excess * 4) / 3), SIZE_WANTED / 2);
      this.#removeIdle(now - IDLE_WHEN_CROWDED_MS, goal);
    }
  }

  /** Removes up to `goal` entries that were last used at `since` or before. */
  #removeIdle(since: number, goal: number): void {
    for (const [address, { lastUse }] of this.#entries) {
      if (goal === 0) return;
      if (lastUse > since) continue;
      this.#entries.delete(address);
      goal--;
    }
  }
}
