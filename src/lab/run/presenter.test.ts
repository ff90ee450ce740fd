import { expect, test } from "vitest";
import { decodeEvent, encodeEvent, type LabEvent } from "../event.ts";
import { planOf } from "../network/plan.ts";
import { columns, humanPresenter, jsonPresenter, type Presenter, wrapped } from "./presenter.ts";

const EVENTS: readonly LabEvent[] = [
  { kind: "step", number: 1, title: "The VIP on node01's eth0:2" },
  { kind: "command", host: "node01", command: "ifconfig eth0:2", output: "inet 192.168.150.100" },
  { kind: "statement", says: "node01 has the VIP", ok: true, evidence: "192.168.150.100/24" },
  { kind: "step", number: 2, title: "The VIP hidden" },
  { kind: "progress", text: "waiting" },
  { kind: "statement", says: "ARP is quiet", ok: false, evidence: "two\nreplies" },
  { kind: "statement", says: "pings work", ok: true, evidence: "1 received" },
];

const present = (presenter: Presenter, events: readonly LabEvent[]): string =>
  presenter.begin(planOf("dr", "inet")) +
  events.map((event) => presenter.show(event)).join("") +
  presenter.finish();

test("people see commands with their output, and a mark for each statement", () => {
  expect(present(humanPresenter(false, "bin/sluice"), EVENTS)).toMatchInlineSnapshot(`
    "LVS direct routing: everybody on one wire, replies go straight to the client
      client  eth0 192.168.150.1/24                             the browser
      node01  eth0 192.168.150.11/24                            director
      node02  eth0 192.168.150.12/24                            real server
      node03  eth0 192.168.150.13/24                            real server
      VIP     192.168.150.100

    Step 1: The VIP on node01's eth0:2
    [root@node01 ~]# ifconfig eth0:2
    inet 192.168.150.100
      ✔ node01 has the VIP
          192.168.150.100/24

    Step 2: The VIP hidden
      … waiting
      ✘ ARP is quiet
          two
          replies
      ✔ pings work
          1 received

    1 of 3 statements fail.
    "
  `);
});

test("colours are there only when asked for", () => {
  expect(present(humanPresenter(false, "bin/sluice"), EVENTS)).not.toContain("\x1b");
  expect(present(humanPresenter(true, "bin/sluice"), EVENTS)).toContain("\x1b[31m✘");
});

test("a kept laboratory says how to go on", () => {
  const text = present(humanPresenter(false, "bin/sluice"), [{ kind: "kept", hosts: {} }]);
  expect(text).toContain("  bin/sluice lab shell client curl http://192.168.150.100/");
});

const parseLines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));

test("programs get an object for each step and a summary of steps", () => {
  expect(parseLines(present(jsonPresenter(), EVENTS))).toEqual([
    {
      step: 1,
      says: "The VIP on node01's eth0:2",
      ok: true,
      evidence: "node01 has the VIP: 192.168.150.100/24",
      statements: [{ says: "node01 has the VIP", ok: true, evidence: "192.168.150.100/24" }],
    },
    {
      step: 2,
      says: "The VIP hidden",
      ok: false,
      evidence: "ARP is quiet: two\nreplies\npings work: 1 received",
      statements: [
        { says: "ARP is quiet", ok: false, evidence: "two\nreplies" },
        { says: "pings work", ok: true, evidence: "1 received" },
      ],
    },
    { summary: { passed: 1, failed: 1 } },
  ]);
});

test("a failure fails its step, or the building of the hosts before there is a step", () => {
  const failure: LabEvent = { kind: "failure", why: "node02 cannot be set up" };
  expect(parseLines(present(jsonPresenter(), [EVENTS[0]!, failure]))).toMatchObject([
    { step: 1, ok: false, evidence: expect.stringContaining("node02 cannot be set up") as string },
    { summary: { passed: 0, failed: 1 } },
  ]);
  expect(parseLines(present(jsonPresenter(), [failure]))).toMatchObject([
    { step: 0, ok: false },
    { summary: { passed: 0, failed: 1 } },
  ]);
});

test("an event is one line, whatever it says", () => {
  for (const event of EVENTS) {
    const line = encodeEvent(event);
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(decodeEvent(line)).toEqual(event);
  }
});

test("paragraphs are as wide as a terminal shows them, in Chinese too", () => {
  const english = wrapped("every second request hangs and nobody knows why ".repeat(6));
  const chinese = wrapped("每两次请求就有一次卡住，没有人知道为什么。".repeat(6));
  for (const text of [english, chinese]) {
    const lines = text.split("\n");
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(columns(line)).toBeLessThanOrEqual(104);
    for (const line of lines) expect(line).not.toMatch(/^ *[，。]/u);
  }
});
