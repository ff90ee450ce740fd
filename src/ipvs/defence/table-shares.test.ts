import { describe, expect, test } from "vitest";
import type { Instant } from "../../base/clock.ts";
import { prng } from "../../base/prng.ts";
import { ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";
import { Binding, Flow } from "../connections/flow.ts";
import { Holding, WAY } from "./holding.ts";
import { TableShares } from "./table-shares.ts";

/** A table that services open connections in, as the tracker does it. */
class Shared {
  readonly table: ConnectionTable;
  readonly shares: TableShares;
  readonly holders = new Map<number, Holding>();
  readonly #flow = new Flow();
  readonly #binding = new Binding();
  #opened = 0;

  constructor(limit: number) {
    this.table = new ConnectionTable({ limit, hashKey: [1, 2] });
    this.shares = new TableShares(this.table);
  }

  /** The new entry, or NO_CONNECTION. */
  open(holder: Holding, way: number, isAlone = false): number {
    const { table, shares } = this;
    if (!shares.admits(holder, isAlone)) {
      const yielding = shares.findYielding(holder);
      if (yielding === NO_CONNECTION) return NO_CONNECTION;
      this.close(yielding);
    }
    this.#flow.client3 = ++this.#opened;
    const id = table.add(this.#flow, this.#binding, 0 as Instant, 1000);
    shares.enter(id, holder, way);
    this.holders.set(id, holder);
    return id;
  }

  close(id: number): void {
    this.shares.leave(id);
    this.table.remove(id);
    this.holders.delete(id);
  }

  /** How many of so many tries found room. */
  openMany(holder: Holding, way: number, tries: number): number {
    let opened = 0;
    for (let each = 0; each < tries; each++) {
      if (this.open(holder, way) !== NO_CONNECTION) opened++;
    }
    return opened;
  }
}

const LIMIT = 10_000;

describe("while one service is flooded with beginnings", () => {
  function flooded(): { shared: Shared; victim: Holding } {
    const shared = new Shared(LIMIT);
    const victim = new Holding();
    expect(shared.openMany(victim, WAY.halfOpen, 5 * LIMIT)).toBe(5 * LIMIT);
    return { shared, victim };
  }

  test("it keeps to seven eighths of the table", () => {
    const { victim } = flooded();
    expect(victim.entries).toBe((LIMIT * 7) / 8);
  });

  test("another's connections find room until it holds as many", () => {
    const { shared, victim } = flooded();
    const other = new Holding();
    while (other.entries < victim.entries) {
      expect(shared.open(other, WAY.none)).not.toBe(NO_CONNECTION);
      shared.open(victim, WAY.halfOpen);
    }
    expect(other.entries).toBeGreaterThan(LIMIT / 3);
  });

  test("a thousand others' do, too", () => {
    const { shared, victim } = flooded();
    for (let service = 0; service < 1000; service++) {
      const other = new Holding();
      expect(shared.openMany(other, WAY.none, 5)).toBe(5);
      shared.openMany(victim, WAY.halfOpen, 50);
      expect(other.entries).toBe(5);
    }
  });

  test("its own connections outlive the flood, and those that are half open go oldest first", () => {
    const { shared, victim } = flooded();
    const connection = shared.open(victim, WAY.halfOpen);
    shared.shares.setWay(connection, WAY.none);
    const begun = shared.open(victim, WAY.halfOpen);
    shared.openMany(victim, WAY.halfOpen, victim.entries - 2);
    expect(shared.holders.has(begun)).toBe(true);
    shared.open(victim, WAY.halfOpen);
    expect(shared.shares.way(connection)).toBe(WAY.none);
    expect(shared.holders.get(connection)).toBe(victim);
  });
});

test("a service full of connections leaves an eighth to others, and each of them an eighth of that", () => {
  const shared = new Shared(LIMIT);
  const services = [1, 2, 3, 4].map(() => new Holding());
  for (const service of services) shared.openMany(service, WAY.none, LIMIT);
  expect(services.map(({ entries }) => entries)).toEqual([8750, 1094, 137, 17]);
});

test("services that press equally get equal parts", () => {
  const shared = new Shared(LIMIT);
  const services = Array.from({ length: 9 }, () => new Holding());
  for (let round = 0; round < LIMIT; round++) {
    for (const service of services) shared.open(service, WAY.none);
  }
  const entries = services.map((each) => each.entries);
  expect(Math.max(...entries) - Math.min(...entries)).toBeLessThanOrEqual(7);
});

test("a service that is alone may have all", () => {
  const shared = new Shared(100);
  const service = new Holding();
  for (let each = 0; each < 100; each++) shared.open(service, WAY.none, true);
  expect(service.entries).toBe(100);
  expect(shared.open(service, WAY.none, true)).toBe(NO_CONNECTION);
});

test("what is half open goes before what has ended", () => {
  const shared = new Shared(100);
  const service = new Holding();
  const ended = shared.open(service, WAY.ended);
  const halfOpen = shared.open(service, WAY.halfOpen);
  expect(shared.shares.findYielding(service)).toBe(halfOpen);
  shared.close(halfOpen);
  expect(shared.shares.findYielding(service)).toBe(ended);
});

test("what was used goes last", () => {
  const shared = new Shared(100);
  const service = new Holding();
  const [first, second, third] = [1, 2, 3].map(() => shared.open(service, WAY.halfOpen));
  shared.shares.refresh(first!);
  shared.shares.refresh(third!);
  expect(shared.shares.findYielding(service)).toBe(second);
  shared.close(second!);
  expect(shared.shares.findYielding(service)).toBe(first);
});

const seeds = Array.from({ length: 20 }, (_, seed) => seed);

test.for(seeds)("whatever happens, counts are true and only what may go goes, seed %i", (seed) => {
  const random = prng(seed);
  const shared = new Shared(random.of([1, 7, 64, 500]));
  const services = Array.from({ length: random.of([1, 3, 100]) }, () => new Holding());
  const kept = new Set<number>();
  for (let step = 0; step < 1000; step++) {
    const ids = [...shared.holders.keys()];
    const chance = random.below(10);
    if (chance < 7 || ids.length === 0) {
      const id = shared.open(random.of(services), random.of([WAY.halfOpen, WAY.ended]));
      if (id !== NO_CONNECTION && random.below(3) === 0) {
        shared.shares.setWay(id, WAY.none);
        kept.add(id);
      }
    } else if (chance < 9) {
      const id = random.of(ids);
      shared.close(id);
      kept.delete(id);
    } else {
      shared.shares.refresh(random.of(ids));
    }
    expect([...kept].filter((id) => !shared.holders.has(id))).toEqual([]);
  }
  for (const service of services) {
    const held = [...shared.holders.values()].filter((holder) => holder === service);
    expect(service.entries).toBe(held.length);
  }
  expect(shared.holders.size).toBe(shared.table.size);
});
