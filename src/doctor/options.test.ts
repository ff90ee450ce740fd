import { expect, test } from "vitest";
import { UsageError } from "../cli/question.ts";
import { Address } from "../net/address.ts";
import { parseDoctorArguments } from "./options.ts";

const parse = (line: string) => parseDoctorArguments(line.split(" ").filter(Boolean));
const server = (vip: string, port: number | undefined, more: object = {}) => ({
  vip: Address.parse(vip),
  port,
  protocol: "tcp",
  forwarding: "route",
  ...more,
});
const DEFAULTS = { server: undefined, listenMs: 2_000, fix: "no", json: false };

// biome-ignore format: a table
const lines: readonly (readonly [line: string, differs: object])[] = [
  ["",                                   {}],
  ["--json --listen 10",                 { json: true, listenMs: 10_000 }],
  ["--fix",                              { fix: "ask" }],
  ["--fix --yes --json",                 { fix: "all", json: true }],
  ["--server 192.0.2.1",                 { server: server("192.0.2.1", undefined) }],
  ["--server 192.0.2.1:80 --nat",        { server: server("192.0.2.1", 80, { forwarding: "masquerade" }) }],
  ["--server 192.0.2.1:53 --udp --tunnel", { server: server("192.0.2.1", 53, { protocol: "udp", forwarding: "tunnel" }) }],
  ["--server 2001:db8::1",               { server: server("2001:db8::1", undefined) }],
  ["--server [2001:db8::1]:443",         { server: server("2001:db8::1", 443) }],
];

test.for(lines)("doctor %s", ([line, differs]) => {
  expect(parse(line)).toEqual({ ...DEFAULTS, ...differs });
});

// biome-ignore format: a table
const mistakes: readonly (readonly [line: string, says: RegExp])[] = [
  ["--server www",                 /--server www: expected the VIP/],
  ["--server 192.0.2.1:0",         /expected the VIP/],
  ["--server 192.0.2.1:65536",     /expected the VIP/],
  ["--server 192.0.2.1:http",      /expected the VIP/],
  ["--nat",                        /--nat goes with --server/],
  ["--udp",                        /--udp goes with --server/],
  ["--server 192.0.2.1 --nat --tunnel", /exclude each other/],
  ["--yes",                        /--yes goes with --fix/],
  ["--fix --json",                 /add --yes/],
  ["--listen 0",                   /--listen 0: expected 1 to 60 seconds/],
  ["--listen 61",                  /expected 1 to 60 seconds/],
  ["--listen long",                /expected 1 to 60 seconds/],
  ["--loud",                       /^Unknown option '--loud'$/],
];

test.for(mistakes)("doctor %s is refused", ([line, says]) => {
  expect(() => parse(line)).toThrow(UsageError);
  expect(() => parse(line)).toThrow(says);
});
