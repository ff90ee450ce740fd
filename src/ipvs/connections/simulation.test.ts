/**
 * Seeded worlds: the connection table against a map of objects that is too simple to be wrong.
 * A red run names its seed and step; the same seed replays it.
 */
import { strict as assert } from "node:assert";
import { expect, test } from "vitest";
import { type Instant, ManualClock } from "../../base/clock.ts";
import { type Prng, prng } from "../../base/prng.ts";
import { ConnectionTable, NO_CONNECTION } from "./connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "./flow.ts";
import { TICK_MS } from "./timer-wheel.ts";

/** What the model knows of a connection. */
interface Modelled {
  readonly clientKey: string;
  readonly replyKey: string;
  readonly isTemplate: boolean;
  readonly isOnePacket: boolean;
  readonly destinationId: number;
  expiresAt: number;
  state: number;
  packets: number;
  control: number;
  controlled: number;
}

/** The world a seed makes. Each seed turns some of the dials all the way. */
function options(random: Prng) {
  return {
    steps: 2_000,
    limit: random.of([1, 16, 300, 1_000]),
    clients: random.of([1, 8, 2_000]),
    services: random.of([1, 300]),
    families: random.of([[4], [6], [4, 6]] as const),
    hashKey: [random.of([0, 1, random.next()]), random.of([0, random.next()])] as const,
    timeouts: random.of([
      [1, 70],
      [1_000, 60_000],
      [10, 2_678_400_000],
    ] as const),
    pauseMs: random.of([1, 500, 30_000, 2_000_000]),
    expireBudget: random.of([1, 3, 1_000]),
    expireEvery: random.of([1, 5, 100]),
    adds: random.of([3, 6]),
    start: random.of([0, 1_700_000_000_000]),
  };
}

interface Run {
  readonly refused: number;
  readonly removed: number;
  readonly found: number;
}

/** Runs one world from its seed. One seed, one run: no clock but ours, no chance but the seed's. */
function simulate(seed: number): Run {
  const random = prng(seed);
  const world = options(random);
  const clock = new ManualClock();
  clock.advance(world.start);
  const table = new ConnectionTable({ limit: world.limit, hashKey: world.hashKey });
  const model = new Map<number, Modelled>();
  const flow = new Flow();
  const binding = new Binding();
  let refused = 0;
  let removed = 0;
  let found = 0;

  const isAlive = (entry: Modelled, now: Instant): boolean =>
    entry.expiresAt > now || entry.controlled > 0;
  const randomTimeout = (): number => {
    const [least, most] = world.timeouts;
    return least + random.below(most - least + 1);
  };
  const anyId = (): number => (model.size === 0 ? NO_CONNECTION : random.of([...model.keys()]));
  const forget = (id: number): void => {
    const { control } = model.get(id)!;
    if (control !== NO_CONNECTION) model.get(control)!.controlled--;
    model.delete(id);
  };

  const actions = {
    add: (now: Instant, at: string): void => {
      randomFlow(random, flow, world);
      const isTemplate = random.below(5) === 0;
      if (isTemplate) flow.clientPort = 0;
      randomBinding(random, binding, flow);
      if (isTemplate) binding.flags |= CONNECTION_FLAG.template;
      const find = isTemplate ? table.findTemplate(flow, now) : table.findByClient(flow, now);
      if (find !== NO_CONNECTION) return;
      const timeoutMs = randomTimeout();
      const id = table.add(flow, binding, now, timeoutMs);
      if (id === NO_CONNECTION) {
        refused++;
        assert.equal(model.size, world.limit, `${at}: refused though not full`);
        return;
      }
      assert.ok(!model.has(id), `${at}: ${id} is given twice`);
      model.set(id, {
        clientKey: clientKeyOf(flow),
        replyKey: replyKeyOf(flow, binding),
        isTemplate,
        isOnePacket: (binding.flags & CONNECTION_FLAG.onePacket) !== 0,
        destinationId: binding.destinationId,
        expiresAt: now + timeoutMs,
        state: 0,
        packets: 0,
        control: NO_CONNECTION,
        controlled: 0,
      });
    },
    touch: (now: Instant): void => {
      const id = anyId();
      if (id === NO_CONNECTION || !isAlive(model.get(id)!, now)) return;
      const timeoutMs = random.below(4) === 0 ? 0 : randomTimeout();
      table.touch(id, now, timeoutMs);
      table.setState(id, random.below(14));
      table.setInPackets(id, table.inPackets(id) + 1);
      const entry = model.get(id)!;
      entry.expiresAt = now + timeoutMs;
      entry.state = table.state(id);
      entry.packets++;
    },
    control: (): void => {
      const [id, control] = [anyId(), anyId()];
      if (id === control || id === NO_CONNECTION) return;
      const [entry, target] = [model.get(id)!, model.get(control)!];
      // As it is used: a template controls connections and nothing controls a template.
      if (entry.isTemplate || !target.isTemplate) return;
      table.setControl(id, control);
      if (entry.control !== NO_CONNECTION) model.get(entry.control)!.controlled--;
      entry.control = control;
      target.controlled++;
    },
    remove: (_now: Instant, at: string): void => {
      const id = anyId();
      if (id === NO_CONNECTION) return;
      if (model.get(id)!.controlled > 0) {
        assert.throws(() => table.remove(id), /still controls/, at);
        return;
      }
      table.remove(id);
      forget(id);
      assert.ok(!table.has(id), `${at}: ${id} is still there`);
    },
  };

  const expire = (now: Instant, at: string): boolean => {
    let looked = 0;
    const { removed: count, more } = table.expire(now, world.expireBudget, (id) => {
      looked++;
      const entry = model.get(id);
      assert.ok(entry !== undefined, `${at}: asked about ${id}, which is not there`);
      assert.ok(
        entry.expiresAt <= now,
        `${at}: asked about ${id} ${entry.expiresAt - now} ms early`,
      );
      if (entry.controlled > 0) {
        entry.expiresAt = now + 60_000;
        return 60_000;
      }
      forget(id);
      removed++;
      return 0;
    });
    assert.ok(looked <= world.expireBudget && count <= looked, `${at}: budget`);
    return more;
  };

  /** At one moment each connection is looked at once, after a long absence twice, and then nothing is late. */
  const expireAll = (now: Instant, at: string): void => {
    const callsMax = Math.ceil((2 * model.size) / world.expireBudget) + 1;
    for (let calls = 1; expire(now, at); calls++) {
      assert.ok(calls < callsMax, `${at}: still more after ${calls} calls`);
    }
    for (const [id, { expiresAt }] of model) {
      assert.ok(expiresAt >= now - TICK_MS, `${at}: ${id} is ${now - expiresAt} ms late`);
    }
  };

  const check = (now: Instant, at: string): void => {
    assert.equal(table.size, model.size, `${at}: size`);
    assert.ok(table.size <= world.limit, `${at}: limit`);
    randomFlow(random, flow, world);
    if (random.below(5) === 0) flow.clientPort = 0;
    const key = clientKeyOf(flow);
    const matches = (pick: (entry: Modelled) => boolean): number[] =>
      [...model].filter(([, entry]) => pick(entry) && isAlive(entry, now)).map(([id]) => id);
    const isConnection = (entry: Modelled): boolean => !entry.isTemplate && !entry.isOnePacket;
    const expected = [
      matches((entry) => isConnection(entry) && entry.clientKey === key),
      matches((entry) => entry.isTemplate && entry.clientKey === key),
      matches((entry) => isConnection(entry) && entry.replyKey === key),
    ];
    const actual = [
      table.findByClient(flow, now),
      table.findTemplate(flow, now),
      table.findByReply(flow, now),
    ];
    actual.forEach((id, lookup) => {
      const ids = expected[lookup]!;
      if (id !== NO_CONNECTION) found++;
      const isRight = id === NO_CONNECTION ? ids.length === 0 : ids.includes(id);
      assert.ok(
        isRight,
        `${at}: lookup ${lookup} of ${key} gave ${id}, expected one of ${ids.join()}`,
      );
    });
    const earliest = Math.min(...[...model.values()].map(({ expiresAt }) => expiresAt));
    const deadline = table.nextDeadline();
    if (model.size === 0) assert.equal(deadline, undefined, `${at}: a deadline for nothing`);
    else assert.ok(deadline! <= earliest + TICK_MS || deadline! <= now, `${at}: deadline is late`);
  };

  for (let step = 0; step < world.steps; step++) {
    const at = `seed ${seed}, step ${step}`;
    if (random.below(3) === 0) clock.advance(random.below(world.pauseMs * 8) / 8);
    const now = clock.now();
    const dice = random.below(10);
    if (dice < world.adds) actions.add(now, at);
    else if (dice < 8) actions.touch(now);
    else if (dice < 9) actions.control();
    else actions.remove(now, at);
    if (step % world.expireEvery === 0) expire(now, at);
    if (step % 97 === 0) expireAll(now, at);
    check(now, at);
    if (step % 250 === 0) checkWhole(table, model, at);
  }
  checkWhole(table, model, `seed ${seed}, at the end`);
  return { refused, removed, found };
}

/** Every connection is listed once and says what the model says. */
function checkWhole(table: ConnectionTable, model: Map<number, Modelled>, at: string): void {
  const listed: number[] = [];
  for (let id = table.nextId(NO_CONNECTION); id !== NO_CONNECTION; id = table.nextId(id))
    listed.push(id);
  assert.deepEqual(
    listed,
    [...model.keys()].sort((a, b) => a - b),
    at,
  );
  for (const [id, entry] of model) {
    assert.deepEqual(
      [
        table.expiresAt(id),
        table.state(id),
        table.inPackets(id),
        table.control(id),
        table.controlledCount(id),
        table.destinationId(id),
      ],
      [
        entry.expiresAt,
        entry.state,
        entry.packets,
        entry.control,
        entry.controlled,
        entry.destinationId,
      ],
      `${at}: connection ${id}`,
    );
  }
}

function randomFlow(random: Prng, flow: Flow, world: ReturnType<typeof options>): void {
  flow.family = random.of(world.families);
  flow.protocol = random.of([0, 6, 6, 17, 132]);
  const wide = flow.family === 6 ? -1 : 0;
  const client = random.below(world.clients);
  flow.client0 = wide & (client % 3);
  flow.client1 = wide & -1;
  flow.client2 = wide & client;
  flow.client3 = -1 - (client >>> 4);
  flow.clientPort = 65_535 - (client & 15);
  const service = random.below(world.services);
  flow.virtual0 = wide & service;
  flow.virtual1 = wide & 1;
  flow.virtual2 = wide & 2;
  flow.virtual3 = service >>> 1;
  flow.virtualPort = 80 + (service & 1);
}

/** Destinations are also among the virtual addresses, so that lookups of both kinds meet. */
function randomBinding(random: Prng, binding: Binding, flow: Flow): void {
  binding.family = flow.family;
  binding.destination0 = flow.virtual0;
  binding.destination1 = flow.virtual1;
  binding.destination2 = flow.virtual2;
  binding.destination3 = random.below(4);
  binding.destinationPort = 80 + random.below(2);
  binding.destinationId = random.below(100);
  binding.flags = random.below(5) | (random.below(12) === 0 ? CONNECTION_FLAG.onePacket : 0);
  binding.mark = random.next() | 0;
}

function clientKeyOf(flow: Flow): string {
  const { virtual0, virtual1, virtual2, virtual3, virtualPort } = flow;
  return `${endsOf(flow)} ${[virtual0, virtual1, virtual2, virtual3].join()}:${virtualPort}`;
}

function replyKeyOf(flow: Flow, binding: Binding): string {
  if ((binding.flags & 7) !== 0) return clientKeyOf(flow);
  const { destination0, destination1, destination2, destination3, destinationPort } = binding;
  return `${endsOf(flow)} ${[destination0, destination1, destination2, destination3].join()}:${destinationPort}`;
}

function endsOf({
  family,
  protocol,
  client0,
  client1,
  client2,
  client3,
  clientPort,
}: Flow): string {
  return `${family} ${protocol} ${[client0, client1, client2, client3].join()}:${clientPort}`;
}

const seeds = Array.from({ length: 60 }, (_, seed) => seed);

test.for(seeds)("the connection table agrees with its model, seed %i", (seed) => {
  simulate(seed);
});

test("one seed, one run", () => {
  expect(simulate(7)).toEqual(simulate(7));
});

test("the worlds see what they are for: refusals, expiries and lookups that hit", () => {
  const runs = seeds.slice(0, 12).map(simulate);
  for (const fact of ["refused", "removed", "found"] as const) {
    expect(
      runs.reduce((sum, run) => sum + run[fact], 0),
      fact,
    ).toBeGreaterThan(1_000);
  }
});
