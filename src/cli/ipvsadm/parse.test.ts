import { expect, test } from "vitest";
import { TEST_NAMES } from "../../../test/names.ts";
import type { Command } from "./command.ts";
import { parse } from "./parse.ts";

const HTTP = {
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: "10.0.0.1", port: 80 },
} as const;

const SERVICE = {
  key: HTTP,
  scheduler: "wlc",
  schedulerFlags: [],
  onePacket: false,
  persistence: null,
  persistenceEngine: null,
};

const SERVER = {
  endpoint: { address: "10.0.0.2", port: 80 },
  forwarding: { kind: "route" },
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
} as const;

const LISTING = {
  kind: "list-services",
  service: undefined,
  view: "default",
  isNumeric: false,
  isExact: false,
  isSorted: true,
} as const;

// test/ipvsadm.test.ts has every mistake and what each line does; here is what the words mean.
// biome-ignore format: a table
const lines: [line: string, command: Command][] = [
  ["",                                      LISTING],
  ["-Ln",                                   { ...LISTING, isNumeric: true }],
  ["-L --nosort --sort -X",                 { ...LISTING, isSorted: false, isExact: true }],
  ["-L --tun-info --rate --thresholds",     { ...LISTING, view: "rate" }],
  ["-L -t 10.0.0.1:80 --persistent-conn",   { ...LISTING, view: "persistent-conn", service: HTTP }],
  ["-lnc",                                  { kind: "list-connections", isNumeric: true, withPersistenceData: false }],
  ["-L -c --persistent-conn",               { kind: "list-connections", isNumeric: false, withPersistenceData: true }],
  ["-L --timeout -n",                       { kind: "list-timeouts" }],
  ["-L --daemon",                           { kind: "list-daemons" }],
  ["--set 1 0 3",                           { kind: "set", timeouts: { tcp: 1, tcpFin: 0, udp: 3 } }],
  ["-C",                                    { kind: "flush" }],
  ["-R",                                    { kind: "restore" }],
  ["-S -n",                                 { kind: "save", isNumeric: true }],
  ["-Z",                                    { kind: "zero", service: undefined }],
  ["-Z -f 7",                               { kind: "zero", service: { kind: "mark", family: "inet", mark: 7 } }],
  ["-h -q",                                 { kind: "help" }],
  ["-vL",                                   { kind: "version" }],
  ["-A -t 10.0.0.1:80",                     { kind: "add-service", service: SERVICE }],
  ["-A -t 10.0.0.1:80 -M 255.0.0.0",        { kind: "add-service", service: SERVICE }],
  ["-E -t 10.0.0.1:80 -p",                  { kind: "edit-service", service: { ...SERVICE, persistence: { timeoutSeconds: 360, netmask: "255.255.255.255" } } }],
  ["-A -t 10.0.0.1:80 -s sh -b sh-port,flag-1", { kind: "add-service", service: { ...SERVICE, scheduler: "sh", schedulerFlags: ["port", "fallback"] } }],
  ["-A -f 7 -6 -p 5 -M 64",                 { kind: "add-service", service: { ...SERVICE, key: { kind: "mark", family: "inet6", mark: 7 }, persistence: { timeoutSeconds: 5, prefixLength: 64 } } }],
  ["-D -u [2001:db8::1]:domain",            { kind: "delete-service", service: { kind: "endpoint", protocol: "udp", endpoint: { address: "2001:db8::1", port: 53 } } }],
  ["-a -t 10.0.0.1:80 -r 10.0.0.2",         { kind: "add-server", service: HTTP, destination: SERVER }],
  ["-a -t 10.0.0.1:80 -r 10.0.0.2:99",      { kind: "add-server", service: HTTP, destination: SERVER }],
  ["-e -t 10.0.0.1:80 -r 10.0.0.2:99 -m -w 3 -x 9 -y 5", { kind: "edit-server", service: HTTP, destination: { endpoint: { address: "10.0.0.2", port: 99 }, forwarding: { kind: "masquerade" }, weight: 3, upperThreshold: 9, lowerThreshold: 5 } }],
  ["-a -t 10.0.0.1:80 -r 10.0.0.2 -i",      { kind: "add-server", service: HTTP, destination: { ...SERVER, forwarding: { kind: "tunnel", encapsulation: "ipip" } } }],
  ["-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gre --tun-csum", { kind: "add-server", service: HTTP, destination: { ...SERVER, forwarding: { kind: "tunnel", encapsulation: "gre", checksum: "full" } } }],
  ["-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gue --tun-port 6080", { kind: "add-server", service: HTTP, destination: { ...SERVER, forwarding: { kind: "tunnel", encapsulation: "gue", port: 6080, checksum: "none" } } }],
  ["-d -t 10.0.0.1:80 -r 10.0.0.2:99",      { kind: "delete-server", service: HTTP, destination: { address: "10.0.0.2", port: 99 } }],
  ["--start-daemon master --syncid 3",      { kind: "start-daemon" }],
  ["--stop-daemon=backup",                  { kind: "stop-daemon" }],
];

test.for(lines)("ipvsadm %s", async ([line, command]) => {
  const words = line.split(" ").filter((word) => word !== "");
  expect(await parse(words, TEST_NAMES)).toEqual(command);
});
