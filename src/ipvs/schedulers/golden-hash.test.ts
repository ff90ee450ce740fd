/**
 * Which destination the kernel's IPVS hashed a client to: recorded on Linux 6.12.117, UDP from port 20000, destinations
 * .21, .22 and .23 added in that order. `-` is a refusal.
 */
import { expect, test } from "vitest";
import { request } from "../../../test/builders.ts";
import { type SchedulingFlags, SchedulingTable } from "../../../test/scheduling-table.ts";
import type { SchedulerName } from "./index.ts";

type Column = [name: string, scheduler: SchedulerName, weights: string, flags: SchedulingFlags];

// biome-ignore format: a table
const columns: Column[] = [
  ["sh 1,1,1",          "sh", "1 1 1", {}],
  ["sh 1,2,4",          "sh", "1 2 4", {}],
  ["sh-port 1,1,1",     "sh", "1 1 1", { port: true }],
  ["sh 1,0,1",          "sh", "1 0 1", {}],
  ["sh-fallback 1,0,1", "sh", "1 0 1", { fallback: true }],
  ["mh 1,1,1",          "mh", "1 1 1", {}],
  ["mh 1,2,4",          "mh", "1 2 4", {}],
  ["mh-port 1,1,1",     "mh", "1 1 1", { port: true }],
  ["mh 100,250,70",     "mh", "100 250 70", {}],
];

// biome-ignore format: a table
const clients: [client: string, picks: string][] = [
  ["10.9.0.9",      "22 23 22 -  21 23 23 22 23"],
  ["10.9.1.1",      "23 23 22 23 23 22 22 21 22"],
  ["10.9.1.2",      "22 23 21 -  21 21 23 22 21"],
  ["10.9.1.3",      "23 23 22 23 23 23 23 22 22"],
  ["10.9.7.77",     "23 23 22 23 23 23 23 22 21"],
  ["10.9.13.13",    "21 23 23 21 21 23 23 22 22"],
  ["10.9.44.1",     "23 23 22 23 23 21 22 22 22"],
  ["10.9.100.100",  "21 22 23 21 21 21 23 22 22"],
  ["10.9.200.5",    "22 23 21 -  21 22 22 23 22"],
  ["10.9.255.254",  "21 23 23 21 21 22 22 22 22"],
];

for (const [index, [name, scheduler, weights, flags]] of columns.entries()) {
  test.for(clients)(`${name} from %s`, ([client, picks]) => {
    const table = tableOf("10.1.0.", scheduler, weights, flags);
    expect(table.open(request({ client }), "UDP")).toBe(picks.split(/ +/)[index]);
  });
}

// biome-ignore format: a table
const inet6Columns: Column[] = [
  ["sh",      "sh", "1 1 1", {}],
  ["sh-port", "sh", "1 1 1", { port: true }],
  ["mh",      "mh", "1 1 1", {}],
  ["mh-port", "mh", "1 1 1", { port: true }],
];

// biome-ignore format: a table
const inet6Clients: [client: string, picks: string][] = [
  ["fd09::1234:5678:9abc:def0",  "23 22 22 22"],
  ["fd09::1:1",                  "21 22 23 22"],
  ["fd09::7:8:9",                "22 21 23 22"],
  ["fd09::99",                   "23 22 21 23"],
  ["fd09::aa",                   "23 23 22 21"],
  ["fd09::cafe",                 "22 21 22 21"],
  ["fd09::dead:beef",            "23 23 21 23"],
  ["fd09::ffff",                 "22 21 21 21"],
];

for (const [index, [name, scheduler, weights, flags]] of inet6Columns.entries()) {
  test.for(inet6Clients)(`${name} from %s`, ([client, picks]) => {
    const table = tableOf("fd01::", scheduler, weights, flags);
    expect(table.open(request({ client }), "UDP")).toBe(picks.split(" ")[index]);
  });
}

// biome-ignore format: a table
const destinations: [destination: string, pick: string][] = [
  ["192.0.2.1",    "21"],
  ["192.0.2.2",    "22"],
  ["198.51.100.7", "23"],
  ["203.0.113.9",  "22"],
  ["8.8.8.8",      "21"],
  ["1.1.1.1",      "22"],
  ["172.16.5.4",   "23"],
  ["10.1.0.2",     "23"],
];

test.for(destinations)("dh to %s picks %s", ([destination, pick]) => {
  expect(tableOf("10.1.0.", "dh", "1 1 1", {}).open(request({ destination }), "UDP")).toBe(pick);
});

function tableOf(
  network: string,
  scheduler: SchedulerName,
  weights: string,
  flags: SchedulingFlags,
): SchedulingTable {
  const table = new SchedulingTable(scheduler, flags);
  weights.split(" ").forEach((weight, index) => {
    table.add(`${network}${21 + index}`, { weight: Number(weight) });
  });
  return table;
}
