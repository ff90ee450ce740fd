import { expect, test } from "vitest";
import { bytes } from "../../../test/bytes.ts";
import type { Instant } from "../../base/clock.ts";
import { ConnectionTable, NO_CONNECTION } from "./connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "./flow.ts";
import { PersistenceData } from "./persistence-data.ts";
import { ownMemory } from "./table-memory.ts";

const START = 1_000 as Instant;
const MESSAGE = bytes("ff 61 62 63 64 ff");

test("a slot holds what was kept, and is used again", () => {
  const data = new PersistenceData(ownMemory(1));
  expect(data.bytes).toBe(0);
  const longest = new Uint8Array(255).fill(0xe4);
  const slots = [data.keep(MESSAGE, 1, 4), data.keep(longest, 0, 255), data.keep(MESSAGE, 1, 1)];
  expect(slots.map((slot) => data.text(slot))).toEqual(["abcd", "\u00e4".repeat(255), "a"]);
  expect(data.equals(slots[0]!, MESSAGE, 1, 4)).toBe(true);
  expect(data.equals(slots[0]!, MESSAGE, 1, 3)).toBe(false);
  expect(data.equals(slots[0]!, MESSAGE, 0, 4)).toBe(false);
  const { bytes: reserved } = data;
  data.release(slots[0]!);
  expect(data.keep(MESSAGE, 2, 2)).toBe(slots[0]);
  for (let more = 0; more < 4096; more++) data.keep(MESSAGE, 1, 4);
  expect(data.bytes).toBe(2 * reserved);
  expect(data.text(slots[2]!)).toBe("a");
});

function callOf(start: number, length: number): Flow {
  const flow = new Flow();
  flow.protocol = 17;
  flow.client3 = 1;
  flow.virtual3 = 2;
  flow.virtualPort = 5060;
  flow.dataBytes = MESSAGE;
  flow.dataStart = start;
  flow.dataLength = length;
  return flow;
}

test("templates of one client are told apart by their data, and found by nothing else", () => {
  const table = new ConnectionTable({ limit: 100, hashKey: [1, 2] });
  const binding = new Binding();
  binding.flags = CONNECTION_FLAG.template;
  const first = table.add(callOf(1, 4), binding, START, 60_000);
  const second = table.add(callOf(1, 3), binding, START, 60_000);
  const bare = table.add(callOf(1, 0), binding, START, 60_000);
  const found = (length: number): number => table.findTemplate(callOf(1, length), START);
  expect([4, 3, 2, 0].map(found)).toEqual([first, second, NO_CONNECTION, bare]);
  expect([first, second, bare].map((id) => table.data(id))).toEqual(["abcd", "abc", undefined]);
  expect(table.findByClient(callOf(1, 0), START)).toBe(NO_CONNECTION);
  table.invalidateTemplate(first);
  expect([4, 3].map(found)).toEqual([NO_CONNECTION, second]);
  expect(table.data(first)).toBe("abcd");
  table.remove(first);
  table.remove(second);
  expect([4, 3, 0].map(found)).toEqual([NO_CONNECTION, NO_CONNECTION, bare]);
});
