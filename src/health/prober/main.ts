/**
 * The process that probes, the daemon's child: orders by the line on standard input, what is different on standard output.
 * It ends when its input does, and with it when the daemon does, however that ends.
 */
import { createInterface } from "node:readline";
import type { Instant } from "../../base/clock.ts";
import { CHECKERS } from "../checks/index.ts";
import type { CheckKind } from "../checks/settings.ts";
import { LagTally } from "./lag-tally.ts";
import { type Probe, Prober } from "./prober.ts";
import type { Change, Order, Told } from "./protocol.ts";
import { Ways } from "./ways.ts";

const EXIT = { ended: 0, usage: 2 } as const;

const HELP = `Usage: sluice probe

Asks servers how they are, for the daemon, which starts it when the first service is checked and has it end with itself.
Reads from standard input which servers to ask in which way, a JSON object a line, and writes what is different to
standard output.

  -h, --help   this

Exit status: 0 its input ended, 2 wrong arguments.
`;

/** What is different waits so long for more of it. */
const BATCH_MS = 20;

const MEASURED_EVERY_MS = 5_000;

/** Each takes a descriptor; a process of the host's usual limits has more. */
const RUNNING_MAX = 4_000;

const PROGRAMS_MAX = 100;

const TROUBLES_MAX = 100;

export async function main(args: readonly string[]): Promise<number | undefined> {
  if (args[0] === "--help" || args[0] === "-h") {
    process.stdout.write(HELP);
    return EXIT.ended;
  }
  if (args.length > 0 || process.stdin.isTTY) {
    process.stderr.write("sluice probe is started by sluice daemon.\nTry 'sluice probe --help'.\n");
    return EXIT.usage;
  }
  const reporter = new Reporter();
  let troubles = 0;
  process.on("uncaughtException", (error) => {
    if (++troubles <= TROUBLES_MAX) say({ trouble: error.stack ?? error.message });
  });
  const prober = new Prober({
    load,
    ways: new Ways({
      warn: (warning) => say({ warning }),
      inform: (notice) => say({ notice }),
    }),
    tell: (change) => reporter.change(change),
    measured: (id, latencyMs) => reporter.latency(id, latencyMs),
    clock: { now: () => performance.now() as Instant },
    chance: Math.random,
    lag: reporter.lag,
    runningMax: RUNNING_MAX,
    programsMax: PROGRAMS_MAX,
  });
  // The terminal's signals are the daemon's to act on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  process.on("SIGHUP", () => {});
  for await (const line of createInterface({ input: process.stdin })) {
    prober.order(JSON.parse(line) as Order);
  }
  process.exit(EXIT.ended);
}

async function load(type: string): Promise<Probe> {
  if (!Object.hasOwn(CHECKERS, type)) throw new Error(`there is no check ${type}`);
  return (await CHECKERS[type as CheckKind]()) as Probe;
}

class Reporter {
  readonly lag = new LagTally();
  #changes: Change[] = [];
  #latencies = new Map<number, number>();
  #isDue = false;
  #at = performance.now();
  #cpu = process.cpuUsage();

  constructor() {
    setInterval(() => this.#measure(), MEASURED_EVERY_MS).unref();
  }

  change(change: Change): void {
    this.#changes.push(change);
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      const changes = this.#changes;
      this.#changes = [];
      say({ changes });
    }, BATCH_MS);
  }

  latency(id: number, latencyMs: number): void {
    this.#latencies.set(id, Math.round(latencyMs * 10) / 10);
  }

  #measure(): void {
    const latencies = [...this.#latencies];
    this.#latencies = new Map();
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    const spent = { cpuMs: (user + system) / 1_000, overMs: now - this.#at };
    this.#at = now;
    say({ latencies, lag: { ...this.lag.take(), ...spent } });
  }
}

function say(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
