import { expect, test } from "vitest";
import { parseLabArguments, UsageError } from "./options.ts";

const parse = (line: string) => parseLabArguments(line.split(" ").filter(Boolean), "/home/learner");

const DEFAULTS = {
  scenario: "dr",
  tunnels: ["ipip", "gre", "gue"],
  family: "inet",
  scheduler: "rr",
  engine: undefined,
  hook: undefined,
  requests: 10,
  config: undefined,
  keep: false,
  json: false,
  pcap: undefined,
};

// biome-ignore format: a table
const runs: readonly (readonly [line: string, differs: object])[] = [
  ["",                                {}],
  ["dr",                              {}],
  ["nat",                             { scenario: "nat" }],
  ["tun",                             { scenario: "tun" }],
  ["tun --tunnel gue",                { scenario: "tun", tunnels: ["gue"] }],
  ["--ipv6",                          { family: "inet6" }],
  ["nat --ipv6",                      { scenario: "nat", family: "inet6" }],
  ["--json",                          { json: true }],
  ["dr --engine kernel",              { engine: "kernel" }],
  ["nat --engine kernel --hook xdp",  { scenario: "nat", engine: "kernel", hook: "xdp" }],
  ["dr --config web.yaml",            { config: "/home/learner/web.yaml" }],
  ["dr --keep --scheduler wlc",       { keep: true, scheduler: "wlc" }],
  ["nat --requests=3 --pcap wires",   { scenario: "nat", requests: 3, pcap: "/home/learner/wires" }],
  ["--pcap /tmp/wires --requests 1000", { pcap: "/tmp/wires", requests: 1000 }],
];

test.for(runs)("lab %s", ([line, differs]) => {
  expect(parse(line)).toEqual({ kind: "run", options: { ...DEFAULTS, ...differs } });
});

// biome-ignore format: a table
const others: readonly (readonly [line: string, command: object])[] = [
  ["help",                         { kind: "help" }],
  ["nat --help",                   { kind: "help" }],
  ["shell --help",                 { kind: "help" }],
  ["down",                         { kind: "down" }],
  ["dr --bare",                    { kind: "bare", scenario: "dr", family: "inet" }],
  ["nat --bare --keep --ipv6",     { kind: "bare", scenario: "nat", family: "inet6" }],
  ["nat --simulated",              { kind: "simulated", seed: 1, options: { ...DEFAULTS, scenario: "nat" } }],
  ["--simulated --seed 9 --json",  { kind: "simulated", seed: 9, options: { ...DEFAULTS, json: true } }],
  ["shell node02",                 { kind: "shell", host: "node02", command: [] }],
  ["shell client curl --help",     { kind: "shell", host: "client", command: ["curl", "--help"] }],
  ["shell node01 -- ipvsadm -ln",  { kind: "shell", host: "node01", command: ["ipvsadm", "-ln"] }],
];

const MISTAKE = { names: [], action: "perform", language: "en", json: false, isSimulated: false };

// biome-ignore format: a table
const mistaken: readonly (readonly [line: string, differs: object])[] = [
  ["mistake --list",                { action: "list" }],
  ["mistake --list --json",         { action: "list", json: true }],
  ["mistake vip-down weight-0",     { names: ["vip-down", "weight-0"] }],
  ["mistake --quiz",                { action: "quiz" }],
  ["mistake weight-0 --simulated",  { names: ["weight-0"], isSimulated: true }],
  ["mistake --quiz vip-down",       { action: "quiz", names: ["vip-down"] }],
  ["mistake vip-down --language zh", { names: ["vip-down"], language: "zh" }],
];

test.for(mistaken)("lab %s", ([line, differs]) => {
  expect(parse(line)).toEqual({ kind: "mistake", options: { ...MISTAKE, ...differs } });
});

test("all mistakes, in the language of the locale", () => {
  const environment = { LC_ALL: "", LANG: "zh_CN.UTF-8" };
  expect(parseLabArguments(["mistake", "--all"], "/", environment)).toMatchObject({
    options: { action: "perform", language: "zh", names: expect.arrayContaining(["vip-down"]) },
  });
});

test.for(others)("lab %s", ([line, command]) => {
  expect(parse(line)).toEqual(command);
});

// biome-ignore format: a table
const mistakes: readonly (readonly [line: string, says: RegExp])[] = [
  ["fullnat",              /Unknown laboratory 'fullnat': expected dr, nat, tun, mistake, shell or down/],
  ["tun --tunnel vxlan",   /Unknown tunnel 'vxlan': expected one of ipip, gre, gue/],
  ["nat --tunnel gue",     /--tunnel is for the laboratory tun/],
  ["dr nat",               /Unexpected argument 'nat'/],
  ["--scheduler fastest",  /Unknown scheduler 'fastest': expected one of rr, wrr/],
  ["--scheduler toString", /Unknown scheduler/],
  ["--scheduler",          /--scheduler/],
  ["--requests ten",       /--requests ten: expected 2 to 1000/],
  ["--requests 1",         /expected 2 to 1000/],
  ["--requests 1001",      /expected 2 to 1000/],
  ["dr --ipv6=no",         /--ipv6/],
  ["--fast",               /^Unknown option '--fast'$/],
  ["--pcap /run/wires",    /choose another place/],
  ["--bare --requests=3",  /--bare only builds the hosts: --requests has nothing to do there/],
  ["--simulated --keep",   /--simulated has hosts in this process alone: --keep has nothing to do there/],
  ["--simulated --seed x", /--seed x: expected 0 to 4294967295/],
  ["--seed 3",             /--seed is for --simulated/],
  ["shell",                /client, node01, node02, node03: none was given/],
  ["shell node04",         /'node04' is none/],
  ["mistake",              /wants the name of one/],
  ["mistake vip-up",       /Unknown mistake 'vip-up': 'lab mistake --list' names all of them/],
  ["mistake --list --all", /--all and --list exclude each other/],
  ["mistake --all weight-0", /--all is for all of them, got 'weight-0'/],
  ["mistake --quiz weight-0 vip-down", /about one mistake, got 'vip-down'/],
  ["mistake --quiz --json", /has no --json/],
  ["mistake --language fr --list", /Unknown language 'fr': expected en or zh/],
  ["down now",             /takes no arguments, got 'now'/],
];

test.for(mistakes)("lab %s is refused", ([line, says]) => {
  expect(() => parse(line)).toThrow(UsageError);
  expect(() => parse(line)).toThrow(says);
});
