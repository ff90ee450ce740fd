/** The director's daemon on node01, as a service manager would run it. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";
import type { RunOptions } from "../options.ts";
import { programLine } from "../program.ts";
import type { Hosts } from "./hosts.ts";
import type { LabPlan } from "./plan.ts";

/** Where a director's daemon listens by default; every host has a /run of its own. */
const SOCKET = "/run/sluice/sluice.sock";
const STATE = "/run/sluice/state.json";
const READY_TIMEOUT_MS = 10_000;
const READY_POLL_MS = 100;
/** One that ends sooner would do so again. */
const AGAIN_AFTER_MS = 1_000;
const COMPLAINT_CHARACTERS_MAX = 4_000;

export class Director {
  readonly #hosts: Hosts;
  readonly #words: readonly string[];
  readonly #environment: readonly string[];
  readonly #startsAgain: boolean;
  readonly #emit: (event: LabEvent) => void;
  #process: ChildProcess | undefined;
  #complaint = "";
  #isStopping = false;

  constructor(
    hosts: Hosts,
    { vip }: LabPlan,
    { engine, hook, config }: Pick<RunOptions, "engine" | "hook" | "config">,
    emit: (event: LabEvent) => void,
  ) {
    this.#hosts = hosts;
    this.#emit = emit;
    this.#startsAgain = config !== undefined;
    this.#environment = config === undefined ? [] : [`VIP=${vip}`];
    this.#words = [
      "daemon",
      "--socket",
      SOCKET,
      "--state",
      STATE,
      // Nobody waits for another.
      ...(config === undefined ? ["--grace", "0"] : ["--config", config]),
      ...(engine === undefined ? [] : ["--engine", engine]),
      ...(hook === undefined ? [] : ["--hook", hook]),
    ];
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  async start(): Promise<void> {
    await this.#answer(this.#launch());
    this.#emit({
      kind: "command",
      host: "node01",
      command: [...this.#environment, "sluice", ...this.#words, "&"].join(" "),
      output: "",
    });
  }

  #launch(): ChildProcess {
    const line = ["env", ...this.#environment, ...programLine(...this.#words)];
    const child = this.#hosts.node01.start(line);
    this.#process = child;
    const begin = performance.now();
    const listen = (chunk: Buffer): void => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-COMPLAINT_CHARACTERS_MAX);
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("close", () => {
      if (this.#isStopping) return;
      if (this.#startsAgain && performance.now() - begin > AGAIN_AFTER_MS) {
        this.#emit({ kind: "progress", text: "the director's daemon ended, and is started again" });
        this.#launch();
        return;
      }
      this.#emit({ kind: "progress", text: `the director's daemon ended: ${this.#complaint}` });
    });
    return child;
  }

  async stop(): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    this.#isStopping = true;
    const ended = once(child, "close");
    child.kill("SIGTERM");
    await ended;
    return child.exitCode;
  }

  async #answer(child: ChildProcess): Promise<void> {
    const question = `curl -sf --max-time 1 --unix-socket ${SOCKET} http://localhost/v1/info`;
    const attempts = READY_TIMEOUT_MS / READY_POLL_MS;
    for (let attempt = 0; attempt < attempts && child.exitCode === null; attempt++) {
      if ((await this.#hosts.node01.run(question)).code === 0) return;
      await delay(READY_POLL_MS);
    }
    const how = child.exitCode === null ? "does not answer" : `ended with code ${child.exitCode}`;
    throw new LabFailure(`The director's daemon ${how}: ${this.#complaint.trim() || "silently"}`);
  }
}
