import { expect, test } from "vitest";
import { Events } from "./events.ts";

function happened(name: string) {
  return { name, message: `${name} happened`, facts: { where: "here" } };
}

test("a listener gets what came after the last that it knows", () => {
  const events = new Events({ epoch: "a" });
  for (const name of ["one", "two", "three"]) events.publish(happened(name));
  expect(events.last).toBe(3);
  expect(events.after(0).events.map(({ name }) => name)).toEqual(["one", "two", "three"]);
  expect(events.after(2)).toMatchObject({ missed: 0, events: [{ number: 3, name: "three" }] });
  expect(events.after(3)).toEqual({ missed: 0, events: [] });
  expect(JSON.parse(events.after(2).events[0]!.text)).toMatchObject({
    message: "three happened",
    where: "here",
  });
});

test("what is too long ago is counted as missed, by number and by length", () => {
  const byNumber = new Events({ epoch: "a", countMax: 2 });
  const byLength = new Events({ epoch: "a", lengthMax: 200 });
  for (const events of [byNumber, byLength]) {
    for (let count = 0; count < 10; count++) events.publish(happened("more"));
    expect(events.after(0)).toMatchObject({ missed: 8, events: [{ number: 9 }, { number: 10 }] });
    expect(events.after(9).missed).toBe(0);
  }
});

test("who waits is woken once, and not at all when it has gone", () => {
  const events = new Events({ epoch: "a" });
  let woken = 0;
  events.once(() => woken++);
  const gone = events.once(() => {
    woken += 100;
  });
  gone[Symbol.dispose]();
  events.publish(happened("one"));
  events.publish(happened("two"));
  expect(woken).toBe(1);
});
