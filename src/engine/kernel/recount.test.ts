import { expect, test } from "vitest";
import type { Instant } from "../../base/clock.ts";
import { prng } from "../../base/prng.ts";
import { ConnectionTable, NO_CONNECTION } from "../../ipvs/connections/connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "../../ipvs/connections/flow.ts";
import { DestinationLoad } from "../../ipvs/services/destination-load.ts";
import { Recount } from "./recount.ts";

const NOW = 0 as Instant;
/** Some portions' worth. */
const CONNECTIONS = 40_000;
const DESTINATIONS = 3;
const CHANGES = 2_000;
const LOOKS_MAX = 100;

/** Destinations whose counts are the table's, unless somebody puts them wrong. */
class World {
  readonly table = new ConnectionTable({ limit: 2 * CONNECTIONS, hashKey: [1, 2] });
  readonly random = prng(7);
  readonly destinations = Array.from({ length: DESTINATIONS }, (_, id) => {
    const load = new DestinationLoad({ slot: id });
    const recount = (active: number, inactive: number): void => {
      load.addActive(active);
      load.addInactive(inactive);
    };
    return { id, load, recount };
  });
  readonly recount: Recount;
  #next = 0;

  constructor() {
    const { table, destinations } = this;
    while (table.size < CONNECTIONS) this.open();
    this.recount = new Recount({ table, news: { isEmpty: true }, counted: () => destinations });
  }

  open(): void {
    const flow = new Flow();
    flow.protocol = 6;
    flow.client3 = this.#next++;
    const binding = new Binding();
    binding.destinationId = this.random.below(DESTINATIONS);
    binding.flags = this.random.of([0, CONNECTION_FLAG.inactive, CONNECTION_FLAG.template]);
    this.#count(this.table.add(flow, binding, NOW, 60_000), 1);
  }

  change(): void {
    const { table, random } = this;
    const id = table.nextId(random.below(table.idEnd) - 1);
    if (id === NO_CONNECTION || random.below(3) === 0) {
      this.open();
      return;
    }
    this.#count(id, -1);
    if (random.below(2) === 0) {
      table.remove(id);
      return;
    }
    table.setFlags(id, table.flags(id) ^ CONNECTION_FLAG.inactive);
    this.#count(id, 1);
  }

  counts(): readonly (readonly [active: number, inactive: number])[] {
    return this.destinations.map(({ load }) => [load.active, load.inactive]);
  }

  #count(id: number, change: number): void {
    const flags = this.table.flags(id);
    if ((flags & CONNECTION_FLAG.template) !== 0) return;
    const { load } = this.destinations[this.table.destinationId(id)]!;
    if ((flags & CONNECTION_FLAG.inactive) === 0) load.addActive(change);
    else load.addInactive(change);
  }
}

function lookWhileItChanges(world: World): number {
  for (let looks = 1; looks <= LOOKS_MAX; looks++) {
    if (world.recount.look(() => {})) return looks;
    for (let change = 0; change < CHANGES; change++) world.change();
  }
  return Number.POSITIVE_INFINITY;
}

test("counts that are right stay, whatever comes and goes while records are counted in portions", () => {
  const world = new World();
  const looks = lookWhileItChanges(world);
  expect(looks).toBeGreaterThan(5);
  expect(looks).toBeLessThan(LOOKS_MAX);
  expect(world.recount.mended).toBe(0);
});

test("counts that are wrong become what there is", () => {
  const world = new World();
  const wrong = world.destinations[1]!.load;
  wrong.addActive(2);
  wrong.addInactive(-3);
  expect(lookWhileItChanges(world)).toBeLessThan(LOOKS_MAX);
  expect(world.recount.mended).toBe(1);
  world.recount[Symbol.dispose]();
  const right = new World();
  // The same chances, the same changes: what there is is the same.
  lookWhileItChanges(right);
  expect(world.counts()).toEqual(right.counts());
});
