/**
 * What do thousands of services cost who commands?
 *
 * Asked: how long ipvsadm-restore, a start, one change and a listing take, and how much memory the daemon has.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "../src/api/client.ts";
import { DaemonFolder } from "./daemon-folder.ts";
import type { InsideBenchmark } from "./inside.ts";
import { median } from "./median.ts";

export interface TableFigures {
  readonly services: number;
  /** Of each service. */
  readonly servers: number;
  readonly lines: number;
  readonly restoreMs: number;
  /** The longest that another call waited meanwhile. */
  readonly besideMs: number;
  /** One change by the API, and by a command: medians. */
  readonly changeMs: number;
  readonly commandMs: number;
  readonly listMs: number;
  /** From the process's start. */
  readonly socketMs: number;
  readonly readyMs: number;
  readonly residentBytes: number;
}

export const CONTROL: InsideBenchmark<readonly TableFigures[]> = {
  name: "control",
  measure: async (progress) => {
    const figures: TableFigures[] = [];
    for (const size of SIZES) {
      using bench = new ControlBench();
      figures.push(await bench.measure(size, progress));
    }
    return figures;
  },
};

interface Start {
  readonly socketMs: number;
  readonly readyMs: number;
}

interface Size {
  readonly services: number;
  readonly servers: number;
}

const SIZES: readonly Size[] = [
  { services: 1, servers: 1 },
  { services: 1_000, servers: 10 },
  { services: 10_000, servers: 1 },
];
const CHANGES = 50;
const RUNS = 5;
const POLL_MS = 5;

export const CONTROL_METHOD = `\
In a network namespace of its own a daemon with a state file on disk. Services of masqueraded servers are given to
ipvsadm-restore, from its start to its end; "beside" is the longest that one of the calls waited that another client made
one after the other meanwhile. A change is -e of one server, by the API (median of ${CHANGES}) and as a process of its own
(median of ${RUNS}, as -ln). Then the daemon ends and is started again (median of ${RUNS}): until its socket accepts, and
until it answers, which it does once its services' packets flow.
Resident memory is the process's once it runs again and was listed.`;

const program = (name: string): string => new URL(`../bin/${name}`, import.meta.url).pathname;

class ControlBench implements Disposable {
  readonly #folder = new DaemonFolder();
  readonly #client = new Client(this.#folder.socket);
  #daemon: ChildProcess | undefined;

  async measure(size: Size, progress: (text: string) => void): Promise<TableFigures> {
    const { services, servers } = size;
    await this.#start();
    const rules = rulesFor(size);
    const lines = rules.split("\n").length - 1;
    progress(`restoring ${lines} lines`);
    const { ms: restoreMs, besideMs } = await this.#restore(rules);
    progress(`changing one of ${services} services`);
    const changeMs = await this.#changes();
    const commandMs = this.#median(() => this.#ipvsadm(`-e -t ${VIP} -r ${SERVER} -m -w 2`));
    progress(`listing ${services} services`);
    const listMs = this.#median(() => this.#ipvsadm("-L -n"));
    progress(`starting with ${services} services`);
    const starts: Start[] = [];
    for (let run = 0; run < RUNS; run++) {
      this.#daemon!.kill("SIGTERM");
      await once(this.#daemon!, "exit");
      starts.push(await this.#start());
    }
    const socketMs = median(starts.map((each) => each.socketMs));
    const readyMs = median(starts.map((each) => each.readyMs));
    this.#ipvsadm("-L -n");
    const residentBytes = this.#resident();
    const measured = { restoreMs, besideMs, changeMs, commandMs, listMs, socketMs, readyMs };
    return { services, servers, lines, ...measured, residentBytes };
  }

  [Symbol.dispose](): void {
    this.#client.close();
    this.#daemon?.kill("SIGKILL");
    this.#folder[Symbol.dispose]();
  }

  async #start(): Promise<Start> {
    const began = performance.now();
    const words = [
      "daemon",
      "--socket",
      this.#folder.socket,
      "--state",
      this.#folder.file("state.json"),
    ];
    this.#daemon = spawn(program("sluice"), [...words, "--log-level", "warn"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    while (!(await this.#isAccepted())) {
      if (this.#daemon.exitCode !== null) throw new Error("the daemon does not start");
      await delay(POLL_MS);
    }
    const socketMs = performance.now() - began;
    await this.#client.call("getTimeouts", {}, undefined);
    return { socketMs, readyMs: performance.now() - began };
  }

  #isAccepted(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(this.#folder.socket, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
  }

  async #restore(rules: string): Promise<{ readonly ms: number; readonly besideMs: number }> {
    const began = performance.now();
    const restore = spawn(program("ipvsadm-restore"), [], {
      env: this.#environment,
      stdio: ["pipe", "ignore", "inherit"],
    });
    restore.stdin.end(rules);
    let besideMs = 0;
    while (restore.exitCode === null) {
      const asked = performance.now();
      await this.#client.call("getTimeouts", {}, undefined);
      besideMs = Math.max(besideMs, performance.now() - asked);
      await delay(1);
    }
    if (restore.exitCode !== 0) throw new Error(`ipvsadm-restore ended with ${restore.exitCode}`);
    return { ms: performance.now() - began, besideMs };
  }

  async #changes(): Promise<number> {
    const times: number[] = [];
    const [address = "", port = ""] = VIP.split(":");
    const service = {
      kind: "endpoint",
      protocol: "tcp",
      endpoint: { address, port: Number(port) },
    } as const;
    const [server = "", serverPort = ""] = SERVER.split(":");
    const destination = { address: server, port: Number(serverPort) };
    for (let weight = 1; weight <= CHANGES; weight++) {
      const began = performance.now();
      await this.#client.call(
        "editDestination",
        { service, destination },
        {
          endpoint: destination,
          forwarding: { kind: "masquerade" },
          weight,
          upperThreshold: 0,
          lowerThreshold: 0,
        },
      );
      times.push(performance.now() - began);
    }
    return median(times);
  }

  #median(work: () => void): number {
    const times = Array.from({ length: RUNS }, () => {
      const began = performance.now();
      work();
      return performance.now() - began;
    });
    return median(times);
  }

  #ipvsadm(line: string): void {
    const { status, stderr } = spawnSync(program("ipvsadm"), line.split(" "), {
      encoding: "utf8",
      env: this.#environment,
      maxBuffer: 1 << 28,
    });
    if (status !== 0) throw new Error(`ipvsadm ${line}: ${stderr}`);
  }

  get #environment(): NodeJS.ProcessEnv {
    return { ...process.env, SLUICE_SOCKET: this.#folder.socket };
  }

  #resident(): number {
    const status = readFileSync(`/proc/${this.#daemon!.pid}/status`, "utf8");
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }
}

/** The first service and its first server. */
const VIP = "10.0.0.1:80";
const SERVER = "10.128.0.1:8080";

function rulesFor({ services, servers }: Size): string {
  const address = (network: number, number: number): string =>
    [10, network + (number >>> 16), (number >>> 8) & 0xff, number & 0xff].join(".");
  let text = "";
  let server = 0;
  for (let service = 1; service <= services; service++) {
    const at = `-t ${address(0, service)}:80`;
    text += `-A ${at} -s wlc\n`;
    for (let each = 0; each < servers; each++) {
      text += `-a ${at} -r ${address(128, ++server)}:8080 -m -w 1\n`;
    }
  }
  return text;
}
