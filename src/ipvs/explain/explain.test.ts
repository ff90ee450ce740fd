import { expect, test } from "vitest";
import { DirectorBench } from "../../../test/packets/director-bench.ts";
import type { Instant } from "../../base/clock.ts";
import { toPort } from "../../net/port.ts";
import { LbError } from "../desired/errors.ts";
import type { ServiceKey } from "../desired/service.ts";
import { type Explanation, explain } from "./explain.ts";
import { firstPacket } from "./first-packet.ts";
import { changedBy } from "./what-if.ts";

function port(number: number) {
  const port = toPort(number);
  if (port === undefined) throw new RangeError(`${number} is no port`);
  return port;
}

interface Asked {
  readonly client?: string;
  readonly clientPort?: number;
  readonly weights?: Readonly<Record<string, number | undefined>>;
}

/** What is said of a SYN to V:80. */
function ask(
  bench: DirectorBench,
  { client = "C", clientPort = 1000, weights = {} }: Asked = {},
): Explanation {
  const { names, director, host } = bench;
  const to = { address: names.address("V"), port: port(80) };
  const key: ServiceKey = { kind: "endpoint", protocol: "tcp", endpoint: to };
  const changes = Object.entries(weights).map(([name, weight]) => ({
    server: { address: names.address(name), port: port(0) },
    weight,
  }));
  const from = { address: names.address(client), port: port(clientPort) };
  const packet = firstPacket({ protocol: "tcp", client: from, to, mark: 0 });
  return explain(director, packet, host, 0 as Instant, (state) =>
    changes.length === 0 ? state : changedBy(state, key, changes),
  );
}

function web(...rows: readonly string[]): DirectorBench {
  const bench = new DirectorBench("inet");
  for (const row of ["-A -t V:80 -s wlc", "-a -t V:80 -r R1 -g", "-a -t V:80 -r R2 -m", ...rows]) {
    expect(bench.play(row)).toEqual(expect.any(Array));
  }
  return bench;
}

const at = (bench: DirectorBench, name: string, number = 80): string =>
  `${bench.names.address(name)}:${number}`;

test("each server with its load, and why it may not be chosen", () => {
  const bench = web("-a -t V:80 -r R3 -g -w 0", "C:1 > V:80 S", "-e -t V:80 -r R2 -m -x 1");
  const said = ask(bench);
  expect(
    said.candidates.map(({ destination, load, mayBeChosen, why }) => [
      destination,
      load,
      mayBeChosen,
      why,
    ]),
  ).toEqual([
    [at(bench, "R3"), 0, false, "its weight is 0: no new connections"],
    [
      at(bench, "R2"),
      257,
      false,
      "it has 1 connections and reached its upper threshold of 1: chosen again below 1",
    ],
    [at(bench, "R1"), 0, true, "may be chosen"],
  ]);
  expect(said).toMatchObject({
    by: "scheduler",
    choice: at(bench, "R1"),
    reason: "forward-route",
    sent: { source: at(bench, "C", 1000), destination: at(bench, "V"), interfaceIndex: 2 },
  });
});

test("asking changes nothing, and what was said happens", () => {
  const bench = web();
  for (let number = 1; number <= 6; number++) {
    const said = ask(bench, { clientPort: number });
    expect(ask(bench, { clientPort: number })).toEqual(said);
    const [outcome = ""] = bench.play(`C:${number} > V:80 S`);
    expect(outcome).toContain(said.reason);
    expect(outcome).toContain(said.choice === at(bench, "R1") ? "R1" : "R2");
  }
});

test("a connection that is there takes the packet; one that is over is scheduled anew", () => {
  const bench = web("C:1 > V:80 S");
  const [row = ""] = bench.play("C:1 > V:80 .");
  expect(row).toContain("R2");
  expect(ask(bench, { clientPort: 1 })).toMatchObject({
    by: "connection",
    choice: at(bench, "R2"),
  });
  bench.play("C:1 > V:80 R");
  expect(ask(bench, { clientPort: 1 })).toMatchObject({ by: "scheduler", state: "CLOSE" });
});

test("a template brings a client where it was", () => {
  const bench = web("-E -t V:80 -s wlc -p 300", "C:1 > V:80 S");
  expect(ask(bench)).toMatchObject({ by: "template", choice: at(bench, "R2") });
  expect(ask(bench, { client: "C2" })).toMatchObject({ by: "scheduler", choice: at(bench, "R1") });
});

test("what if a server had another weight, or was gone", () => {
  const bench = web();
  expect(ask(bench).choice).toBe(at(bench, "R2"));
  expect(ask(bench, { weights: { R2: 0 } }).choice).toBe(at(bench, "R1"));
  expect(ask(bench, { weights: { R2: undefined } }).candidates).toHaveLength(1);
  expect(ask(bench, { weights: { R1: 0, R2: 0 } })).toMatchObject({
    by: "nobody",
    choice: undefined,
    reason: "drop-no-destination",
    sent: undefined,
  });
  expect(() => ask(bench, { weights: { R3: 1 } })).toThrow(LbError);
  expect(ask(bench).choice).toBe(at(bench, "R2"));
});

test("a VIP that the host lost is nobody's", () => {
  expect(ask(web("host disown V"))).toMatchObject({ reason: "pass-not-local", choice: undefined });
});
