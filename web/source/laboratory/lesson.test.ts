import { expect, test } from "vitest";
import { type Lesson, progressOf } from "./lesson.ts";
import type { Ran } from "./model.ts";

const curl = { host: "client", line: "curl http://192.168.150.100/", shows: /from/ };
const down = { host: "node02", line: "ifconfig lo:2 down" };
const text = { en: "", zh: "" };
const lesson: Lesson = {
  name: "test",
  title: text,
  scenario: "dr",
  isBuilt: true,
  steps: [{ lines: [curl] }, { lines: [down, { ...curl, shows: /timed out/ }] }],
};

function ran(host: string, line: string, output = "", status = 0): Ran {
  return { host, line, output, status };
}

const asked = ran("client", "curl  http://192.168.150.100/ ", "from 192.168.150.12\n");
const hung = ran("client", "curl http://192.168.150.100/", "curl: (28) timed out\n", 28);

// biome-ignore format: a table
const cases: [what: string, ran: Ran[], progress: string[][]][] = [
  ["nothing was typed", [], [["open"], ["open", "open"]]],
  ["the first line was typed", [asked], [["done"], ["open", "open"]]],
  ["on another host", [{ ...asked, host: "node01" }], [["open"], ["open", "open"]]],
  ["it shows something else", [hung], [["wrong"], ["open", "open"]]],
  ["the same line is to be typed once more", [asked, ran("node02", "ifconfig lo:2 down")], [["done"], ["done", "open"]]],
  ["all is done", [asked, ran("node02", "ifconfig lo:2 down"), hung], [["done"], ["done", "done"]]],
  ["too early", [ran("node02", "ifconfig lo:2 down"), asked], [["done"], ["open", "open"]]],
  ["a line that fails is not done", [asked, ran("node02", "ifconfig lo:2 down", "no such", 1)], [["done"], ["wrong", "open"]]],
];

test.each(cases)("%s", (_, typed, progress) => {
  expect(progressOf(lesson, typed)).toEqual(progress);
});
