import { expect, test } from "vitest";
import { MemoryEngine } from "../../../test/memory-engine.ts";
import { Events } from "../../control/events.ts";
import { eventStream, type Listener } from "./stream.ts";

const engine = new MemoryEngine();
const HERE: Listener = { lastId: undefined, only: [], follows: true, connections: 0 };

function happened(name: string) {
  return { name, message: `${name} happened`, facts: {} };
}

function filled(count: number, options: { countMax?: number } = {}): Events {
  const events = new Events({ epoch: "e1", ...options });
  for (let number = 1; number <= count; number++) events.publish(happened(`event-${number}`));
  return events;
}

/** Ids and names of what is there already. */
async function past(events: Events, listener: Partial<Listener>): Promise<string[]> {
  let text = "";
  for await (const part of eventStream(events, engine, { ...HERE, follows: false, ...listener })) {
    text += part;
  }
  return [...text.matchAll(/(?:id: (\S+)\n)?event: (\S+)\ndata: (.*)\n\n/g)].map(
    ([, id = "-", name, data]) => `${id} ${name}${name === "missed" ? ` ${data}` : ""}`,
  );
}

test("a listener that comes back goes on behind its last event", async () => {
  const events = filled(4);
  expect(await past(events, { lastId: "e1-2" })).toEqual(["e1-3 event-3", "e1-4 event-4"]);
  expect(await past(events, { lastId: "e1-4" })).toEqual([]);
  expect(await past(events, { lastId: undefined })).toEqual([]);
  expect(await past(events, { lastId: "all" })).toHaveLength(4);
});

test("what is not kept any more is said to be missing", async () => {
  const events = filled(6, { countMax: 2 });
  expect(await past(events, { lastId: "e1-1" })).toEqual([
    '- missed {"missed":3}',
    "e1-5 event-5",
    "e1-6 event-6",
  ]);
  expect(await past(events, { lastId: "all" })).toEqual(["e1-5 event-5", "e1-6 event-6"]);
});

test.each(["e0-1", "e1-99", "nonsense", "e1--1", ""])(
  "%j is of another daemon: all that is kept comes, and that more may be missing",
  async (lastId) => {
    const [first, ...rest] = await past(filled(2), { lastId });
    expect(first).toBe('- missed {"missed":null}');
    expect(rest).toEqual(["e1-1 event-1", "e1-2 event-2"]);
  },
);

test("names are chosen by how they begin", async () => {
  const events = filled(12);
  const names = await past(events, { lastId: "all", only: ["event-1"] });
  expect(names).toEqual(["e1-1 event-1", "e1-10 event-10", "e1-11 event-11", "e1-12 event-12"]);
});

test("who waits gets the next one at once, and a sign of life before", async () => {
  const events = filled(0);
  const stream = eventStream(events, engine, HERE, { heartbeatMs: 5 });
  await stream.next();
  expect((await stream.next()).value).toBe(": still here\n\n");
  const next = stream.next();
  events.publish(happened("late"));
  let value = (await next).value;
  while (value === ": still here\n\n") value = (await stream.next()).value;
  expect(value).toMatch(/^id: e1-1\nevent: late\ndata: \{.*"late happened"\}\n\n$/);
  await stream.return(undefined);
});

test("who is too slow is told how much is missing, and let go", async () => {
  const events = filled(1, { countMax: 3 });
  const stream = eventStream(events, engine, HERE);
  await stream.next();
  events.publish(happened("seen"));
  expect((await stream.next()).value).toContain("event: seen");
  for (let count = 0; count < 10; count++) events.publish(happened("unseen"));
  expect((await stream.next()).value).toBe('event: missed\ndata: {"missed":7}\n\n');
  expect((await stream.next()).done).toBe(true);
});

test("a sample of connections comes to whoever asks for it", async () => {
  const stream = eventStream(filled(0), engine, { ...HERE, connections: 5 });
  await stream.next();
  expect((await stream.next()).value).toBe('event: connections\ndata: {"of":0,"sample":[]}\n\n');
  await stream.return(undefined);
});
