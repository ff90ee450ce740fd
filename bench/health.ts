/**
 * What does it cost to ask thousands of servers, and how late are they asked?
 *
 * Two thousand servers a second, each by a TCP connection of its own, from one daemon.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "../src/api/client.ts";
import type { HealthStatus, ProbeLag } from "../src/api/messages.ts";
import { DaemonFolder } from "./daemon-folder.ts";
import type { InsideBenchmark } from "./inside.ts";
import { median } from "./median.ts";

export interface HealthFigures {
  readonly servers: number;
  readonly probesPerSecond: number;
  /** From when a probe is due until it begins. */
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
  /** Of one processor. */
  readonly proberCpu: number;
  readonly daemonCpu: number;
  readonly proberResidentBytes: number;
  /** How long a call to the daemon takes, of a hundred the slowest but one: packets wait as long. */
  readonly callP99Ms: number;
  readonly callP99BesideMs: number;
}

const SERVERS = 2_000;
const MEASURES = 4;
const CALLS = 500;
const VIP = "10.66.255.254";
const CLOCK_TICKS = 100;

export const HEALTH_METHOD = `\
In a network namespace of its own a daemon with one service of ${SERVERS} servers, addresses of the loopback that one process
listens on, checked by \`tcp\` each second. Lag is from when a probe is due until it begins, as the process that asks counts
it, over ${MEASURES} times five seconds: medians, and the longest of all. Processor time is the processes' own, of one processor. A
call is \`GET /v1/timeouts\`, one after the other, before anything is checked and while all is.`;

export const HEALTH: InsideBenchmark<HealthFigures> = {
  name: "health",
  measure: async (progress) => {
    using bench = new HealthBench();
    return await bench.measure(progress);
  },
};

const program = (name: string): string => new URL(`../bin/${name}`, import.meta.url).pathname;

class HealthBench implements Disposable {
  readonly #folder = new DaemonFolder();
  readonly #client = new Client(this.#folder.socket);
  readonly #children: ChildProcess[] = [];

  async measure(progress: (text: string) => void): Promise<HealthFigures> {
    execFileSync("ip", ["link", "set", "lo", "up"]);
    execFileSync("ip", ["address", "add", "10.66.0.1/16", "dev", "lo"]);
    this.#start(process.execPath, "-e", LISTENER);
    const words = ["daemon", "--socket", this.#folder.socket, "--no-state", "--log-level", "warn"];
    const daemon = this.#start(program("sluice"), ...words);
    const callP99Ms = await this.#calls();
    progress(`asking ${SERVERS} servers`);
    const file = this.#folder.file("sluice.yaml");
    writeFileSync(file, JSON.stringify(configuration()));
    execFileSync(program("sluice"), ["apply", "--wait", file], {
      env: { ...process.env, SLUICE_SOCKET: this.#folder.socket },
      stdio: ["ignore", "ignore", "inherit"],
    });
    let { lag } = await this.#health();
    const lags: ProbeLag[] = [];
    const { pid } = await this.#health();
    const [began, cpuBegan] = [performance.now(), cpuSeconds(daemon.pid!)];
    while (lags.length < MEASURES) {
      await delay(1_000);
      const { lag: now } = await this.#health();
      if (now !== null && now.maxMs !== lag?.maxMs) lags.push(now);
      lag = now;
    }
    const seconds = (performance.now() - began) / 1_000;
    const daemonCpu = (cpuSeconds(daemon.pid!) - cpuBegan) / seconds;
    progress("calling beside it");
    const callP99BesideMs = await this.#calls();
    const of = (what: (each: ProbeLag) => number): number => median(lags.map(what));
    return {
      servers: SERVERS,
      probesPerSecond: of(({ probes, overMs }) => (probes * 1_000) / overMs),
      lagP50Ms: of(({ p50Ms }) => p50Ms),
      lagP99Ms: of(({ p99Ms }) => p99Ms),
      lagMaxMs: Math.max(...lags.map(({ maxMs }) => maxMs)),
      proberCpu: of(({ cpuMs, overMs }) => cpuMs / overMs),
      daemonCpu,
      proberResidentBytes: residentBytes(pid!),
      callP99Ms,
      callP99BesideMs,
    };
  }

  [Symbol.dispose](): void {
    this.#client.close();
    for (const child of this.#children) child.kill("SIGKILL");
    this.#folder[Symbol.dispose]();
  }

  #start(command: string, ...words: readonly string[]): ChildProcess {
    const child = spawn(command, words, { stdio: ["ignore", "ignore", "inherit"] });
    this.#children.push(child);
    return child;
  }

  async #health(): Promise<NonNullable<HealthStatus["prober"]>> {
    return (await this.#client.call("health", {}, undefined)).prober!;
  }

  async #calls(): Promise<number> {
    while (!(await this.#answers())) await delay(20);
    const times: number[] = [];
    for (let call = 0; call < CALLS; call++) {
      const began = performance.now();
      await this.#client.call("getTimeouts", {}, undefined);
      times.push(performance.now() - began);
      await delay(2);
    }
    return times.toSorted((one, other) => one - other)[Math.floor(CALLS * 0.99)]!;
  }

  async #answers(): Promise<boolean> {
    try {
      await this.#client.call("getTimeouts", {}, undefined);
      return true;
    } catch {
      return false;
    }
  }
}

/** Stands for as many machines, and so never waits for one that asks: whoever drops a SYN here is late, not the daemon. */
const LISTENER = `try { require("node:os").setPriority(-15); } catch {}
  require("node:net")
  .createServer((socket) => socket.on("error", () => {}).resume())
  .listen({ port: 8080, host: "0.0.0.0", backlog: 4096 });`;

function configuration(): object {
  const destinations = Array.from({ length: SERVERS }, (_, index) => ({
    address: `10.66.${1 + (index >>> 8)}.${index & 0xff}`,
    port: 8_080,
    forwarding: "masquerade",
  }));
  const check = { type: "tcp", interval: "1s", timeout: "1s" };
  return { services: [{ vip: VIP, port: 80, check, destinations }] };
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
