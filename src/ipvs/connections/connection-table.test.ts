import { expect, test } from "vitest";
import type { Instant } from "../../base/clock.ts";
import { ConnectionTable, NO_CONNECTION } from "./connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow, FORWARDING } from "./flow.ts";
import { TICK_MS } from "./timer-wheel.ts";

const START = 1_000 as Instant;

function at(ms: number): Instant {
  return ms as Instant;
}

function newTable(limit = 100): ConnectionTable {
  return new ConnectionTable({ limit, hashKey: [1, 2] });
}

/** A flow from "6 10.0.0.1:40000 > 10.0.0.100:80"; a mark's template is "0 10.0.0.0:0 > 0.0.0.7:0". */
function flow(text: string): Flow {
  const [protocol, client, virtual] = text.split(/ > | /) as [string, string, string];
  const made = new Flow();
  made.protocol = Number(protocol);
  [made.client3, made.clientPort] = endpoint(client);
  [made.virtual3, made.virtualPort] = endpoint(virtual);
  return made;
}

function bindingTo(text: string, flags: number): Binding {
  const made = new Binding();
  [made.destination3, made.destinationPort] = endpoint(text);
  made.destinationId = 9;
  made.flags = flags;
  made.mark = 3;
  return made;
}

function endpoint(text: string): [word: number, port: number] {
  const [address, port] = text.split(":") as [string, string];
  const word = address.split(".").reduce((bits, byte) => (bits << 8) | Number(byte), 0);
  return [word, Number(port)];
}

const REQUEST = "6 10.0.0.1:40000 > 10.0.0.100:80";
const { masquerade, local, tunnel, route, bypass } = FORWARDING;

const replies: [why: string, method: number, reply: string, isFound: boolean][] = [
  ["masqueraded: from the destination", masquerade, "6 10.0.0.1:40000 > 10.1.0.5:8080", true],
  ["masqueraded: from the virtual address", masquerade, REQUEST, false],
  ["masqueraded: from another port", masquerade, "6 10.0.0.1:40000 > 10.1.0.5:80", false],
  ["direct routing: from the virtual address", route, REQUEST, true],
  ["direct routing: from the destination", route, "6 10.0.0.1:40000 > 10.1.0.5:8080", false],
  ["tunnel: from the virtual address", tunnel, REQUEST, true],
  ["local: from the virtual address", local, REQUEST, true],
  ["bypass: from the virtual address", bypass, REQUEST, true],
  ["another protocol", route, "17 10.0.0.1:40000 > 10.0.0.100:80", false],
  ["to another client port", route, "6 10.0.0.1:40001 > 10.0.0.100:80", false],
];

test.for(replies)("findByReply, %s", ([, method, reply, isFound]) => {
  const table = newTable();
  const id = table.add(flow(REQUEST), bindingTo("10.1.0.5:8080", method), START, 1_000);
  expect(table.findByReply(flow(reply), START)).toBe(isFound ? id : NO_CONNECTION);
  expect(table.findByClient(flow(REQUEST), START)).toBe(id);
});

test("an IPv4 flow is not the IPv6 flow with the same words", () => {
  const table = newTable();
  table.add(flow(REQUEST), new Binding(), START, 1_000);
  const other = flow(REQUEST);
  other.family = 6;
  expect(table.findByClient(other, START)).toBe(NO_CONNECTION);
});

test("a template and a connection of the same tuple are found by their own lookups only", () => {
  const table = newTable();
  const tuple = flow("17 10.0.0.0:0 > 10.0.0.100:53");
  const template = table.add(
    tuple,
    bindingTo("10.1.0.5:53", CONNECTION_FLAG.template),
    START,
    1_000,
  );
  expect(table.findByClient(tuple, START)).toBe(NO_CONNECTION);
  expect(table.findByReply(tuple, START)).toBe(NO_CONNECTION);
  const connection = table.add(tuple, bindingTo("10.1.0.5:53", route), START, 1_000);
  expect(table.findByClient(tuple, START)).toBe(connection);
  expect(table.findTemplate(tuple, START)).toBe(template);
});

test("a firewall mark's template is protocol 0 with the mark as its virtual address", () => {
  const table = newTable();
  const tuple = flow("0 10.0.0.0:0 > 0.0.0.7:0");
  const id = table.add(tuple, bindingTo("10.1.0.5:0", CONNECTION_FLAG.template), START, 1_000);
  expect(table.findTemplate(tuple, START)).toBe(id);
  expect([table.protocol(id), table.virtual(id, 3)]).toEqual([0, 7]);
});

test("an invalidated template is no longer found and lists ports 65535", () => {
  const table = newTable();
  const tuple = flow("6 10.0.0.0:0 > 10.0.0.100:80");
  const id = table.add(tuple, bindingTo("10.1.0.5:80", CONNECTION_FLAG.template), START, 1_000);
  table.invalidateTemplate(id);
  expect(table.findTemplate(tuple, START)).toBe(NO_CONNECTION);
  tuple.virtualPort = 65_535;
  expect(table.findTemplate(tuple, START)).toBe(NO_CONNECTION);
  expect([table.clientPort(id), table.virtualPort(id), table.destinationPort(id)]).toEqual([
    0, 65_535, 65_535,
  ]);
  table.remove(id);
  expect(table.size).toBe(0);
});

test("a one-packet connection is never found", () => {
  const table = newTable();
  const id = table.add(
    flow(REQUEST),
    bindingTo("10.1.0.5:80", CONNECTION_FLAG.onePacket),
    START,
    0,
  );
  expect(id).not.toBe(NO_CONNECTION);
  expect(table.findByClient(flow(REQUEST), START)).toBe(NO_CONNECTION);
  expect(table.findByReply(flow("6 10.0.0.1:40000 > 10.1.0.5:80"), START)).toBe(NO_CONNECTION);
});

test("everything that was given is read back", () => {
  const table = newTable();
  const tuple = new Flow();
  Object.assign(tuple, { family: 6, protocol: 132, clientPort: 65_535, virtualPort: 65_534 });
  Object.assign(tuple, { client0: -1, client1: 2, client2: -3, client3: 4 });
  Object.assign(tuple, { virtual0: 5, virtual1: -6, virtual2: 7, virtual3: -8 });
  const binding = new Binding();
  Object.assign(binding, { family: 4, destinationPort: 65_533, destinationId: 77, mark: -1 });
  Object.assign(binding, {
    destination0: 9,
    destination1: -10,
    destination2: 11,
    destination3: -12,
  });
  binding.flags = tunnel | CONNECTION_FLAG.noOutput | CONNECTION_FLAG.inactive;
  const id = table.add(tuple, binding, START, 2_678_400_000);
  const words = [0, 1, 2, 3];
  expect(words.map((word) => table.client(id, word))).toEqual([-1, 2, -3, 4]);
  expect(words.map((word) => table.virtual(id, word))).toEqual([5, -6, 7, -8]);
  expect(words.map((word) => table.destination(id, word))).toEqual([9, -10, 11, -12]);
  expect([table.family(id), table.destinationFamily(id), table.protocol(id)]).toEqual([6, 4, 132]);
  expect([table.clientPort(id), table.virtualPort(id)]).toEqual([65_535, 65_534]);
  expect([table.destinationPort(id), table.destinationId(id), table.mark(id)]).toEqual([
    65_533, 77, -1,
  ]);
  expect([table.flags(id), table.state(id), table.inPackets(id)]).toEqual([binding.flags, 0, 0]);
  expect([table.timeoutMs(id), table.expiresAt(id)]).toEqual([2_678_400_000, 2_678_401_000]);
  expect([table.control(id), table.controlledCount(id)]).toEqual([NO_CONNECTION, 0]);
});

test("state and flags do not disturb each other or the lookups", () => {
  const table = newTable();
  const id = table.add(flow(REQUEST), bindingTo("10.1.0.5:80", route), START, 1_000);
  table.setState(id, 13);
  table.setFlags(id, route | CONNECTION_FLAG.inactive);
  expect([table.state(id), table.flags(id)]).toEqual([13, route | CONNECTION_FLAG.inactive]);
  expect(table.findByClient(flow(REQUEST), START)).toBe(id);
});

test("setFlags refuses what would change how the connection is found", () => {
  const table = newTable();
  const id = table.add(flow(REQUEST), bindingTo("10.1.0.5:80", route), START, 1_000);
  for (const flags of [
    masquerade,
    route | CONNECTION_FLAG.template,
    route | CONNECTION_FLAG.onePacket,
  ]) {
    expect(() => table.setFlags(id, flags)).toThrow(RangeError);
  }
});

test("a full table refuses and a removal makes room", () => {
  const table = newTable(2);
  const add = (port: number): number =>
    table.add(flow(`6 10.0.0.1:${port} > 10.0.0.100:80`), new Binding(), START, 1_000);
  const [first] = [add(1), add(2)];
  expect(add(3)).toBe(NO_CONNECTION);
  expect(table.size).toBe(2);
  table.remove(first);
  expect(add(3)).not.toBe(NO_CONNECTION);
});

test.for([0, -1, 1.5, 2 ** 24 + 1, Number.NaN])("a limit of %f is refused", (limit) => {
  expect(() => newTable(limit)).toThrow(/expected an integer from 1 to 16777216/);
});

test("a connection is found until its time is over, swept or not", () => {
  const table = newTable();
  const id = table.add(flow(REQUEST), new Binding(), START, 1_000);
  expect(table.findByClient(flow(REQUEST), at(1_999.9))).toBe(id);
  expect(table.findByClient(flow(REQUEST), at(2_000))).toBe(NO_CONNECTION);
  expect([table.size, table.isAlive(id, at(2_000))]).toEqual([1, false]);
});

test("a flow whose old connection was not swept yet gets a new one, and the sweep takes the old", () => {
  const table = newTable();
  const old = table.add(flow(REQUEST), new Binding(), START, 1_000);
  const young = table.add(flow(REQUEST), new Binding(), at(2_000), 1_000);
  expect(table.findByClient(flow(REQUEST), at(2_000))).toBe(young);
  const asked: number[] = [];
  table.expire(at(2_100), 10, (id) => {
    asked.push(id);
    return 0;
  });
  expect(asked).toEqual([old]);
  expect(table.findByClient(flow(REQUEST), at(2_100))).toBe(young);
});

test("a template is alive while it controls, and is asked about when its time is over", () => {
  const table = newTable();
  const tuple = flow("6 10.0.0.0:0 > 10.0.0.100:80");
  const template = table.add(
    tuple,
    bindingTo("10.1.0.5:80", CONNECTION_FLAG.template),
    START,
    1_000,
  );
  const connection = table.add(flow(REQUEST), new Binding(), START, 100_000);
  table.setControl(connection, template);
  expect([table.control(connection), table.controlledCount(template)]).toEqual([template, 1]);
  expect(() => table.remove(template)).toThrow(/still controls 1/);
  expect(table.findTemplate(tuple, at(5_000))).toBe(template);

  expect(table.expire(at(5_000), 10, () => 60_000)).toEqual({ removed: 0, more: false });
  expect([table.timeoutMs(template), table.expiresAt(template)]).toEqual([60_000, 65_000]);

  table.remove(connection);
  expect(table.controlledCount(template)).toBe(0);
  expect(table.expire(at(65_100), 10, () => 0)).toEqual({ removed: 1, more: false });
});

test("decide may remove the connection's template", () => {
  const table = newTable();
  const tuple = flow("6 10.0.0.0:0 > 10.0.0.100:80");
  const template = table.add(
    tuple,
    bindingTo("10.1.0.5:80", CONNECTION_FLAG.template),
    START,
    1_000,
  );
  const connection = table.add(flow(REQUEST), new Binding(), START, 500);
  table.setControl(connection, template);
  const { removed } = table.expire(at(5_000), 10, (id) => {
    if (id !== connection) return 0;
    table.setControl(connection, NO_CONNECTION);
    table.remove(template);
    return 0;
  });
  expect([removed, table.size]).toEqual([1, 0]);
});

test("setControl to another template and to none keeps the counts true", () => {
  const table = newTable();
  const [a, b, connection] = [1, 2, 3].map((port) =>
    table.add(flow(`6 10.0.0.1:${port} > 10.0.0.100:80`), new Binding(), START, 1_000),
  ) as [number, number, number];
  table.setControl(connection, a);
  table.setControl(connection, a);
  expect(table.controlledCount(a)).toBe(1);
  table.setControl(connection, b);
  expect([table.controlledCount(a), table.controlledCount(b)]).toEqual([0, 1]);
  table.setControl(connection, NO_CONNECTION);
  expect(table.controlledCount(b)).toBe(0);
});

const gone = [NO_CONNECTION, 0, 5, 1_000_000];

test.for(gone)("remove and setControl refuse %i, which is not there", (id) => {
  const table = newTable();
  expect(table.has(id)).toBe(false);
  expect(() => table.remove(id)).toThrow(RangeError);
});

test.for([1, 63, 64, 65, 900_000, 2_678_400_000])(
  "a timeout of %i ms ends within a tick",
  (timeoutMs) => {
    const table = newTable();
    table.add(flow(REQUEST), new Binding(), START, timeoutMs);
    const end = START + timeoutMs;
    let wakes = 0;
    for (let now = table.nextDeadline(); now !== undefined; now = table.nextDeadline()) {
      if (table.expire(now, 10, () => 0).removed === 1) {
        expect(now).toBeGreaterThanOrEqual(end);
        expect(now).toBeLessThanOrEqual(end + TICK_MS);
      }
      wakes++;
    }
    expect(table.size).toBe(0);
    // Once a turn of 17 minutes at most.
    expect(wakes).toBeLessThanOrEqual(2 + timeoutMs / 1_000_000);
  },
);

test("at the very moment of its end a connection is removed by one call", () => {
  const table = newTable();
  const end = at(TICK_MS * 100);
  table.add(flow(REQUEST), new Binding(), START, end - START);
  expect(table.expire(end, 1, () => 0)).toEqual({ removed: 1, more: false });
});

test("touching moves the end later and earlier", () => {
  const table = newTable();
  const id = table.add(flow(REQUEST), new Binding(), START, 1_000);
  table.touch(id, START, 900_000);
  expect(table.expire(at(3_000), 10, () => 0)).toEqual({ removed: 0, more: false });
  table.touch(id, at(3_000), 10_000);
  expect(table.nextDeadline()).toBeLessThanOrEqual(13_000 + TICK_MS);
  expect(table.expire(at(13_100), 10, () => 0)).toEqual({ removed: 1, more: false });
});

test("expire looks at no more than its budget and says that there is more", () => {
  const table = newTable();
  for (let port = 1; port <= 25; port++) {
    table.add(flow(`6 10.0.0.1:${port} > 10.0.0.100:80`), new Binding(), START, 1_000);
  }
  const calls = Array.from({ length: 3 }, () => table.expire(at(9_000), 10, () => 0));
  expect(calls).toEqual([
    { removed: 10, more: true },
    { removed: 10, more: true },
    { removed: 5, more: false },
  ]);
});

test("listing survives changes between two steps", () => {
  const table = newTable();
  const ids = [1, 2, 3, 4].map((port) =>
    table.add(flow(`6 10.0.0.1:${port} > 10.0.0.100:80`), new Binding(), START, 1_000),
  );
  const seen: number[] = [];
  for (let id = table.nextId(NO_CONNECTION); id !== NO_CONNECTION; id = table.nextId(id)) {
    seen.push(id);
    table.remove(id);
    if (id === ids[1]) table.remove(ids[2]!);
  }
  expect(seen).toEqual([ids[0], ids[1], ids[3]]);
  expect(table.size).toBe(0);
});
