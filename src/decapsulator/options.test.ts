import { expect, test } from "vitest";
import { parsePrefix } from "../net/prefix.ts";
import { parseOptions, UsageError } from "./options.ts";

const parse = (line: string) => parseOptions(line.split(" ").filter(Boolean));

test("what is asked for", () => {
  expect(parse("--on eth0")).toEqual({ interfaces: ["eth0"], guePort: undefined, sources: [] });
  expect(parse("--on eth0 --on=eth1.7 --on eth0 --gue-port 6080")).toMatchObject({
    interfaces: ["eth0", "eth1.7"],
    guePort: 6080,
  });
  expect(parse("--on eth0 --from 192.0.2.1 --from 2001:db8::/32")).toMatchObject({
    sources: [parsePrefix("192.0.2.1/32"), parsePrefix("2001:db8::/32")],
  });
  expect(parse("-h")).toBe("help");
});

// biome-ignore format: a table
const mistakes: readonly (readonly [line: string, says: RegExp])[] = [
  ["",                           /--on is missing/],
  ["--on",                       /--on/],
  ["--on eth0\"",                 /expected an interface's name/],
  ["--on 1234567890123456",      /expected an interface's name/],
  ["--on eth0 --gue-port 0",     /--gue-port 0: expected a whole number from 1 to 65535/],
  ["--on eth0 --gue-port 65536", /from 1 to 65535/],
  ["--on eth0 --gue-port gue",   /from 1 to 65535/],
  ["--on eth0 --from here",      /--from here: expected an address or a network/],
  ["--on eth0 --fast",           /^Unknown option '--fast'$/],
  ["eth0",                       /Unexpected argument 'eth0'/],
];

test.for(mistakes)("'%s' is refused", ([line, says]) => {
  expect(() => parse(line)).toThrow(UsageError);
  expect(() => parse(line)).toThrow(says);
});
