/**
 * Carries out cases on the userspace engine, or with the argument "kernel" on the kernel engine, which then opens connections
 * where the next argument says, and takes flows over after so many packets as the one behind says, or as it does by itself: runs inside of a network namespace of its own,
 * which it makes the laboratory's director (laboratory.ts). The engine is in this process, the devices' other ends are, too.
 *
 * The first line of its standard input is the list of cases, each with its place; for each that is done it says a line
 * of its reports. Ends with its standard input, whatever it is at.
 */
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../../../src/engine/engine.ts";
import { KernelOffload } from "../../../src/engine/kernel/kernel-offload.ts";
import { UserspaceEngine } from "../../../src/engine/userspace/engine.ts";
import type { Case, Frame, PlacedCase, Report } from "../case.ts";
import { DIRECTOR_HOST, INTERFACES } from "../laboratory.ts";
import { markPreparation, markScript } from "../mark-chains.ts";
import { Place } from "../place.ts";
import { vip6Lines } from "../vip6.ts";
import { Bench } from "./bench.ts";
import { inTurn } from "./in-turn.ts";
import { NetworkDevice } from "./network-device.ts";
import { encodeReports } from "./worker-words.ts";

/** As many as the kernel's guest has rows and more than all cases make. */
const CONNECTIONS_MAX = 100_000;
const [, , engineName, admission, packetsSeen] = process.argv;

const input = createInterface({ input: process.stdin });
input.once("close", () => process.exit(1));
input.once("line", (line) => {
  perform(JSON.parse(line)).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${(error as Error).stack}\n`);
      process.exit(1);
    },
  );
});

async function perform(turns: readonly (readonly PlacedCase[])[]): Promise<void> {
  const devices = becomeDirector(turns.flat());
  const warn = (message: string, error: unknown) =>
    process.stderr.write(`${message}: ${String(error)}\n`);
  await using engine = await UserspaceEngine.open({
    connectionsMax: CONNECTIONS_MAX,
    events: { warn, inform: (message) => process.stderr.write(`${message}\n`) },
    offload:
      engineName === "kernel"
        ? new KernelOffload({
            connectionsMax: CONNECTIONS_MAX,
            opensOnWire: admission === "wire",
            packetsSeen: packetsSeen === undefined ? undefined : Number(packetsSeen),
            warn,
          })
        : undefined,
  });
  await using bench = await Bench.open({
    engine,
    exchange: (frame) => exchange(devices, frame),
    setMarks: (rules, of, place) => shell(markScript(rules, of, place)),
  });
  for (const turn of turns) {
    await inTurn(turn.map(({ index, each }) => run(engine, bench, index, each)));
  }
}

/** Yields milliseconds in which others may have their turn. */
async function* run(engine: Engine, bench: Bench, index: number, of: Case): AsyncGenerator<number> {
  const { steps, sysctls, keepsSysctls } = of;
  const place = new Place(index);
  const reports: Report[] = [];
  for (const step of steps) {
    if (step.kind === "wait") {
      // While it waits, the host is as the others know it.
      if (keepsSysctls !== true) await bench.turn({});
      yield step.ms;
    }
    await bench.turn(sysctls);
    if (step.kind === "round") await round(engine, bench, step.packet, of, place);
    const observation = await bench.perform(step, of, place);
    reports.push({ atMs: performance.now(), observation });
  }
  await bench.restoreKnobs();
  // The process ends after the last one: a long line must be through by then.
  await new Promise((resolve) => {
    process.stdout.write(`${encodeReports(index, reports)}\n`, resolve);
  });
}

const ROUND_POLL_MS = 5;

/** As the guest's agent sees it: by what the estimator shows. */
async function round(
  engine: Engine,
  bench: Bench,
  packet: string,
  of: Case,
  place: Place,
): Promise<void> {
  const before = JSON.stringify(await engine.totals());
  await bench.perform({ kind: "packet", packet }, of, place);
  while (JSON.stringify(await engine.totals()) === before) await sleep(ROUND_POLL_MS);
}

function becomeDirector(cases: readonly PlacedCase[]): readonly NetworkDevice[] {
  const devices = INTERFACES.map(({ name }) => new NetworkDevice(name));
  for (const [path, value] of Object.entries(DIRECTOR_HOST.sysctls)) {
    // What a namespace has for itself: on older kernels the limits of ICMP's rate are everybody's, and not seen here.
    const file = `/proc/sys/${path}`;
    if (path.startsWith("net/") && existsSync(file)) writeFileSync(file, value);
  }
  const lines = [...DIRECTOR_HOST.batch, ...vip6Lines(cases)];
  execFileSync("ip", ["-batch", "-"], { input: `${lines.join("\n")}\n` });
  for (const script of markPreparation(cases)) shell(script);
  return devices;
}

function shell(script: string): void {
  execFileSync("sh", ["-ec", script]);
}

/**
 * What leaves by any device when a frame arrives. Nothing is waited for that could be late: send() returns when the
 * engine's ring and the host's own stack have the frame, and the engine deals with it, to the last frame that leaves, in
 * the event loop's next poll. What it gives back to the host comes in before the engine's system call returns.
 */
async function exchange(devices: readonly NetworkDevice[], frame: Frame): Promise<Frame[]> {
  for (const device of devices) device.received();
  devices.find(({ name }) => name === frame.wire)!.send(frame.bytes);
  await polled();
  return devices.flatMap((device) =>
    device.received().map((bytes) => ({ wire: device.name, bytes })),
  );
}

/** Resolves when the event loop has looked at every descriptor once, whatever phase of it this is called in. */
async function polled(): Promise<void> {
  for (let phase = 0; phase < 2; phase++) await new Promise((resolve) => setImmediate(resolve));
}
