import { expect, test } from "vitest";
import { speaker } from "../frame/speaker.ts";
import { endpointIn, persistenceIn, serviceIn, weightIn } from "./fields.ts";
import { WORDS } from "./vocabulary.ts";

const say = speaker(WORDS, () => "en");

// biome-ignore format: a table
const services: [place: string, port: string, expected: unknown][] = [
  ["192.0.2.10", "80", { kind: "endpoint", protocol: "tcp", endpoint: { address: "192.0.2.10", port: 80 } }],
  [" 2001:DB8::0:1 ", "443", { kind: "endpoint", protocol: "tcp", endpoint: { address: "2001:db8::1", port: 443 } }],
  ["192.0.2.10", "0", { kind: "endpoint", protocol: "tcp", endpoint: { address: "192.0.2.10", port: 0 } }],
  ["7", "", { kind: "mark", family: "inet", mark: 7 }],
];

test.each(services)("%j and %j are a service", (place, port, expected) => {
  expect(serviceIn("tcp", place, port, say)).toEqual(expected);
});

// biome-ignore format: a table
const refused: [what: string, read: () => unknown, says: RegExp][] = [
  ["no address", () => serviceIn("tcp", "web", "80", say), /^web: expected an address, or a mark/],
  ["mark 0", () => serviceIn("tcp", "0", "", say), /^0: expected an address, or a mark/],
  ["a port that is none", () => serviceIn("tcp", "192.0.2.10", "http", say), /^http: expected a port/],
  ["a server without a port", () => endpointIn("10.0.0.2", "", say), /expected a port from 1/],
  ["a server by its name", () => endpointIn("node02", "80", say), /^node02: expected an IPv4/],
  ["half a weight", () => weightIn("1.5", say), /^1.5: expected a weight/],
  ["a weight too large", () => weightIn("65536", say), /expected a weight/],
  ["no seconds", () => persistenceIn("0", say), /expected seconds/],
];

test.each(refused)("%s is refused, with what would be right", (_, read, says) => {
  expect(read).toThrow(says);
});

test("nothing typed is not persistent", () => {
  expect(persistenceIn(" ", say)).toBeUndefined();
  expect(persistenceIn("300", say)).toBe(300);
});
