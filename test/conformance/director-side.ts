/** The bare director as a side: no engine, no packets on wires, a clock that only goes when a case says so. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listen } from "../../src/api/listen.ts";
import { createServer } from "../../src/api/server.ts";
import { run } from "../../src/cli/ipvsadm/run.ts";
import { Control } from "../../src/control/control.ts";
import { ESTIMATION_INTERVAL_MS } from "../../src/ipvs/rate-estimator.ts";
import { DEFAULT_SYSCTLS, type Sysctls } from "../../src/ipvs/sysctls.ts";
import { type Case, type Observation, type Report, type Side, type Step, timesOf } from "./case.ts";
import { DirectorEngine } from "./director-engine.ts";
import { GUEST_NAMES } from "./guest-names.ts";
import { frameOf } from "./packets.ts";
import { Place } from "./place.ts";

export class DirectorSide implements Side {
  async perform(
    cases: readonly Case[],
    times: readonly (readonly number[])[],
  ): Promise<Report[][]> {
    const reports: Report[][] = [];
    for (const [index, each] of cases.entries()) {
      reports.push(await performCase(each, new Place(index), times[index] ?? []));
    }
    return reports;
  }
}

async function performCase(
  { steps, sysctls }: Case,
  place: Place,
  times: readonly number[],
): Promise<Report[]> {
  await using bench = await openBench(asSysctls(sysctls));
  const reports: Report[] = [];
  let now = 0;
  // The estimator's rounds come at other times here.
  let ahead = 0;
  for (const [index, step] of steps.entries()) {
    if (step.kind === "wait") now += step.ms;
    // The kernel's clock goes while it works; the same step happens here at the same time.
    if (step.kind === "round") {
      bench.engine.receive(frameOf(place.fill(step.packet)));
      now = nextRound(now);
      ahead = now - (times[index] ?? now);
    } else {
      now = (times[index] ?? now - ahead) + ahead;
    }
    bench.engine.moveClock(now);
    reports.push({ atMs: now, observation: await perform(step, bench, place) });
  }
  return reports;
}

async function perform(step: Step, bench: Bench, place: Place): Promise<Observation> {
  const { engine } = bench;
  switch (step.kind) {
    case "ipvsadm":
      return bench.ipvsadm(
        step.words.map((word) => place.fill(word)),
        place.fill(step.stdin),
      );
    case "begin":
      await bench.ipvsadm(["-R"], `-C\n--set 900 120 300\n${step.rules}`);
      return { kind: "waited" };
    case "rules":
      return bench.ipvsadm(["-S", "-n"], "");
    case "packet": {
      const frame = frameOf(place.fill(step.packet));
      for (let times = timesOf(step.packet); times > 1; times--) engine.receive(frame);
      return { kind: "sent", frames: engine.receive(frame) };
    }
    case "totals":
      return { kind: "saw", lines: engine.totalsLines() };
    case "connections":
      return { kind: "saw", lines: engine.connectionLines(place) };
    case "services":
      return { kind: "saw", lines: engine.serviceLines(place) };
    case "wait":
    case "round":
      return { kind: "waited" };
  }
}

function nextRound(now: number): number {
  return (Math.floor(now / ESTIMATION_INTERVAL_MS) + 1) * ESTIMATION_INTERVAL_MS;
}

function asSysctls(values: Readonly<Record<string, number>>): Sysctls {
  for (const name of Object.keys(values)) {
    if (!(name in DEFAULT_SYSCTLS)) throw new RangeError(`The director has no sysctl ${name}`);
  }
  return { ...DEFAULT_SYSCTLS, ...values };
}

interface Bench extends AsyncDisposable {
  readonly engine: DirectorEngine;
  ipvsadm(words: readonly string[], stdin: string): Promise<Observation>;
}

/** The director below control and the API, with ipvsadm run in this process. */
async function openBench(sysctls: Sysctls): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const path = join(folder, "socket");
  const engine = new DirectorEngine();
  const control = await Control.start(engine);
  await control.change((state) => ({ ...state, sysctls }));
  const server = createServer(control, {
    version: "conformance",
    pid: process.pid,
    onBug: (error) => console.error(error),
  });
  const listening = await listen(server, path);
  return {
    engine,
    ipvsadm: (words, stdin) => runIpvsadm(path, words, stdin),
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

async function runIpvsadm(
  socket: string,
  words: readonly string[],
  stdin: string,
): Promise<Observation> {
  let stdout = "";
  let stderr = "";
  const exitCode = await run(words, {
    environment: { SLUICE_SOCKET: socket },
    names: GUEST_NAMES,
    stdin: (async function* () {
      yield stdin;
    })(),
    write: async (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  });
  return { kind: "ran", exitCode, stdout, stderr };
}
