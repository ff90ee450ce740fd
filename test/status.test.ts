/** `sluice status` and `sluice reasons`, against an API of their own. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Around } from "../src/cli/question.ts";
import { run as reasons } from "../src/cli/reasons/main.ts";
import { run as status } from "../src/cli/status/main.ts";
import { keyFromWire } from "../src/control/wire.ts";
import { explainReason } from "../src/engine/reason-words.ts";
import type { Finding } from "../src/ipvs/diagnosis/finding.ts";
import { REASONS, YIELDINGS } from "../src/ipvs/packets/reasons.ts";
import { type ApiBench, openApiBench } from "./api-bench.ts";
import { address } from "./builders.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await openApiBench();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => {
  bench.engine.findings = [];
  bench.engine.cards = [];
});

const SERVICE = keyFromWire({
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: "192.0.2.10", port: 80 },
});
const NO_ROUTE: Finding = { code: "no-route", service: SERVICE, server: address("192.0.2.21") };

type Command = (args: readonly string[], around: Around) => Promise<number>;

async function perform(command: Command, words: string, socket = bench.socketPath) {
  let stdout = "";
  let stderr = "";
  const exitCode = await command(words.split(" ").filter(Boolean), {
    environment: { SLUICE_SOCKET: socket },
    write: async (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  });
  return { exitCode, stdout, stderr };
}

const watched: Command = (args, around) => reasons(args, around, AbortSignal.timeout(1_500));

test("status prints a page", async () => {
  const { exitCode, stdout } = await perform(status, "");
  expect(exitCode).toBe(0);
  expect(stdout.replace(/for \d+ days/, "for ages")).toBe(`Sluice       0.0.0, process 1, for ages
Engine       memory, in memory
Services     0, with 0 servers
Connections  0 of at most 1000
State        not kept over a restart (--no-state)

Nothing is known to be wrong.
`);
});

test("status tells at which hook programs run, and why", async () => {
  const generic = { hook: "xdp generic", why: "its driver runs none" } as const;
  bench.engine.cards = [
    { interface: "eth0", hook: "xdp native", why: null },
    { interface: "br0", ...generic },
    { interface: "br1", ...generic },
    { interface: "wg0", hook: "none", why: "its frames have no Ethernet header" },
  ];
  const { stdout } = await perform(status, "");
  expect(stdout.split("\n").filter((line) => line.startsWith("Program"))).toEqual([
    "Program      eth0: at xdp native",
    "Program      br0, br1: at xdp generic, because its driver runs none",
    "Program      wg0: no program, because its frames have no Ethernet header",
  ]);
});

test("status tells what is wrong, and what to do", async () => {
  bench.engine.findings = [NO_ROUTE];
  const { exitCode, stdout } = await perform(status, "");
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(
    /\nWhat is wrong \(1\):\n {2}TCP 192\.0\.2\.10:80 -> 192\.0\.2\.21\n {4}no route leads to the server 192\.0\.2\.21 \(for \d seconds?\)\n {4}to do: add one; /,
  );
});

test("status --json", async () => {
  bench.engine.findings = [NO_ROUTE];
  const { exitCode, stdout } = await perform(status, "--json");
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toEqual({
    version: "0.0.0",
    pid: 1,
    generation: 0,
    drift: null,
    refusedReload: null,
    draining: 0,
    startedAt: "1970-01-01T00:00:00.000Z",
    engine: "memory",
    stand: "in memory",
    cards: [],
    state: null,
    stateTrouble: null,
    services: 0,
    servers: 0,
    connections: 0,
    connectionsMax: 1_000,
    logLinesLost: 0,
    health: { prober: null, services: [] },
    findings: [
      {
        code: "no-route",
        about: "TCP 192.0.2.10:80 -> 192.0.2.21",
        says: "no route leads to the server 192.0.2.21",
        remedy: "add one; 'ip route get 192.0.2.21' tells when there is",
        since: expect.stringMatching(/^\d{4}-/),
      },
    ],
    vips: [],
    findingsOmitted: 0,
  });
});

test("reasons tells counters with their words", async () => {
  expect(await perform(watched, "")).toEqual({
    exitCode: 0,
    stdout: "3  pass-no-service  left to the host: no service has the address and port\n",
    stderr: "",
  });
  expect(JSON.parse((await perform(watched, "--json")).stdout)).toEqual({
    "pass-no-service": {
      count: 3,
      means: "left to the host: no service has the address and port",
    },
  });
});

test("reasons --watch goes on with what came since", async () => {
  const { stdout } = await perform(watched, "--watch --all --json");
  const [first = "", ...more] = stdout.split("\n}\n");
  expect(JSON.parse(`${first}}`)).toMatchObject({ "pass-no-service": { count: 3 } });
  expect(JSON.parse(more.join(""))).toMatchObject({ "pass-no-service": { count: 0 } });
});

test.for([
  ["status", status],
  ["reasons", watched],
] as const)("%s says what is wrong with its words, and who is missing", async ([name, command]) => {
  expect(await perform(command, "--bogus")).toMatchObject({
    exitCode: 2,
    stderr: `sluice ${name}: Unknown option '--bogus'\nTry 'sluice ${name} --help'.\n`,
  });
  expect(await perform(command, "", "/nonexistent")).toMatchObject({
    exitCode: 1,
    stderr: `sluice ${name}: Nothing answers on /nonexistent: start Sluice with 'sluice daemon', or set SLUICE_SOCKET to its socket.\n`,
  });
  expect((await perform(command, "--help", "/nonexistent")).stdout).toContain(
    `Usage: sluice ${name}`,
  );
});

test("every reason has words", () => {
  expect([...REASONS, ...YIELDINGS].filter((name) => explainReason(name) === "")).toEqual([]);
  expect(explainReason("route-ENOBUFS")).toContain("route that the kernel did not answer");
  expect(explainReason("nonsense")).toBe("");
});
