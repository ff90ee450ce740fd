import { expect, test } from "vitest";
import { type BenchOptions, DirectorBench } from "../../../test/packets/director-bench.ts";
import { parsePrefix } from "../../net/prefix.ts";
import { PacketTracer } from "./packet-tracer.ts";
import { isWanted, mayBeWanted, type TraceFilter } from "./trace-filter.ts";
import type { TracedPacket } from "./traced-packet.ts";

const WEB = ["-A -t V:80 -s wlc", "-a -t V:80 -r R1 -g", "-a -t V:80 -r R2:8080 -m"];

/** What is told of each packet among the rows, that is wanted. */
function traced(rows: readonly string[], filter: TraceFilter = {}): TracedPacket[] {
  const told: TracedPacket[] = [];
  const foresee: BenchOptions["foresee"] = (director, packet) => {
    const tracer = new PacketTracer(director, (index) => `eth${index}`);
    director.witness = tracer;
    const mayBe = mayBeWanted(filter, packet);
    tracer.arrived(packet, packet.interfaceIndex);
    return (outcome) => {
      const decided = tracer.decided(outcome);
      if (mayBe && isWanted(filter, decided)) told.push(decided.told(0, true));
    };
  };
  const bench = new DirectorBench("inet", { foresee });
  for (const row of rows) bench.play(row);
  return told;
}

const names = new DirectorBench("inet").names;
const at = (name: string, port: number): string => `${names.address(name)}:${port}`;

test("a connection's first packet tells whom the scheduler chose, and between whom", () => {
  const [first, second] = traced([...WEB, "C:1 > V:80 S", "C:2 > V:80 S"]);
  expect(first).toMatchObject({
    by: "scheduler",
    flags: "S",
    service: `TCP ${at("V", 80)}`,
    scheduler: "wlc",
    choice: at("R2", 8080),
    connection: { client: at("C", 1), virtual: at("V", 80), state: "SYN_RECV" },
    packet: { source: at("C", 1), destination: at("V", 80) },
    sent: { source: at("C", 1), destination: at("R2", 8080), nextHop: `${names.address("R2")}` },
  });
  // Its own connection counts by the next one's packet.
  expect(second!.candidates.map(({ destination, load }) => [destination, load])).toEqual([
    [at("R1", 80), 0],
    [at("R2", 8080), 257],
  ]);
});

test("what follows belongs to it, both ways", () => {
  const rows = [...WEB, "C:1 > V:80 S", "R2:8080 > C:1 S.", "C:1 > V:80 ."];
  const [, reply, third] = traced(rows);
  expect(reply).toMatchObject({
    by: "connection",
    reason: "forward-reply",
    scheduler: undefined,
    candidates: [],
    sent: { source: at("V", 80) },
  });
  expect(third).toMatchObject({ by: "connection", connection: { state: "ESTABLISHED" } });
});

test("a template, a service that schedules each packet, and nobody", () => {
  const rows = ["-A -t V:80 -p 60", "-a -t V:80 -r R1 -m", "-A -u V:53 -o", "-a -u V:53 -r R1 -m"];
  const packets = ["C:1 > V:80 S", "C:2 > V:80 S", "C:3 > V:53 udp", "C:4 > V:81 S"];
  expect(
    traced([...rows, ...packets]).map(({ by, connection, reason }) => [
      by,
      connection?.state,
      reason,
    ]),
  ).toEqual([
    ["scheduler", "SYN_RECV", "forward-masquerade"],
    ["template", "SYN_RECV", "forward-masquerade"],
    ["scheduler", undefined, "forward-masquerade"],
    ["nobody", undefined, "pass-no-service"],
  ]);
});

test("headers are kept as they were and as they are, a tunnel's before them, and nobody's data", () => {
  const [told] = traced(["-A -t V:80", "-a -t V:80 -r R1 -i", "C:1 > V:80 S len 100"]);
  expect(told!.headers).toHaveLength(40);
  expect(told!.headers![8]).toBe(64);
  expect(told!.sent!.headers).toHaveLength(60);
  expect(told!.sent!.headers![20 + 8]).toBe(63);
});

const MANY = [
  ...WEB,
  "-A -u V:53",
  "-a -u V:53 -r R1 -m",
  "C:1 > V:80 S",
  "R2:8080 > C:1 S.",
  "C2:1 > V:80 S",
  "C:9 > V:53 udp",
  "C:9 > V:80 .",
];

// biome-ignore format: a table
const filters: [what: string, filter: TraceFilter, reasons: string][] = [
  ["of all",            {},                                          "forward-masquerade forward-reply forward-route forward-masquerade pass-not-first"],
  ["of a client",       { client: parsePrefix(`${names.address("C2")}`) }, "forward-route"],
  ["of a client's port", { clientPort: 1, client: parsePrefix("0.0.0.0/0") }, "forward-masquerade forward-reply forward-route"],
  ["of a server",       { server: names.address("R2") },             "forward-masquerade forward-reply"],
  ["of a server's port", { serverPort: 53 },                         "forward-masquerade"],
  ["to a VIP's port",   { virtual: names.address("V"), virtualPort: 53 }, "forward-masquerade"],
  ["of a protocol",     { protocol: "UDP" },                         "forward-masquerade"],
  ["in a state",        { state: "SYN_RECV" },                       "forward-masquerade forward-reply forward-route"],
  ["that open",         { isNew: true },                             "forward-masquerade forward-route forward-masquerade"],
  ["that do not",       { isNew: false },                            "forward-reply pass-not-first"],
  ["for a reason",      { reason: "pass" },                          "pass-not-first"],
];

test.for(filters)("packets are chosen: those %s", ([, filter, reasons]) => {
  expect(
    traced(MANY, filter)
      .map(({ reason }) => reason)
      .join(" "),
  ).toBe(reasons);
});
