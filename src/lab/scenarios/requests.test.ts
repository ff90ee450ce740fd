import { expect, test } from "vitest";
import { alternate, parseAnswers } from "./requests.ts";

test("reads answers and silences", () => {
  const output = `from 192.168.150.12
curl: (28) Connection timed out after 2001 milliseconds
from 192.168.150.13
`;
  expect(parseAnswers(output)).toEqual({
    from: ["192.168.150.12", "192.168.150.13"],
    unanswered: 1,
  });
});

// biome-ignore format: a table
const turns: readonly (readonly [from: string, expected: boolean])[] = [
  ["",     true],
  ["2",    true],
  ["2323", true],
  ["2332", false],
  ["22",   false],
];

test.for(turns)("answers from %j take turns: %j", ([from, expected]) => {
  expect(alternate(from.split(""))).toBe(expected);
});
