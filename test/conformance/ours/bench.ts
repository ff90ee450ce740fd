/** One of our engines below control and the API, with ipvsadm run in this process: carries out a case's steps. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiError, Client } from "../../../src/api/client.ts";
import { listen } from "../../../src/api/listen.ts";
import { createServer } from "../../../src/api/server.ts";
import { run as runIpvsadm } from "../../../src/cli/ipvsadm/run.ts";
import { run as runSysctl } from "../../../src/cli/sysctl/run.ts";
import { Control } from "../../../src/control/control.ts";
import { Events } from "../../../src/control/events.ts";
import { peerOf } from "../../../src/daemon/peer-credentials.ts";
import type { ConnectionStatus, Engine } from "../../../src/engine/engine.ts";
import { FAULTS, type FaultCode } from "../../../src/ipvs/desired/errors.ts";
import { DEFAULT_SYSCTLS } from "../../../src/ipvs/desired/sysctls.ts";
import { quietStatus } from "../../quiet-status.ts";
import { type Case, type Frame, type Observation, type Step, timesOf } from "../case.ts";
import { frameOf } from "../packets.ts";
import type { Place } from "../place.ts";
import { runCommand } from "./command.ts";
import { connectionLines, serviceLines, totalsLines } from "./status-lines.ts";

/** What leaves when a frame arrives. */
export type Exchange = (frame: Frame) => Promise<readonly Frame[]> | readonly Frame[];

/** Has a case's mark rules in force, in place of those that it set before. */
export type SetMarks = (rules: readonly string[], of: Case, place: Place) => void;

/** What a bench sets up. */
export interface Workbench {
  readonly engine: Engine;
  readonly exchange: Exchange;
  readonly setMarks: SetMarks;
}

export class Bench implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #exchange: Exchange;
  readonly #setMarks: SetMarks;
  readonly #control: Control;
  readonly #socket: string;
  readonly #listening: AsyncDisposable;
  #knobs: Case["sysctls"] = {};

  private constructor(
    { engine, exchange, setMarks }: Workbench,
    control: Control,
    socket: string,
    listening: AsyncDisposable,
  ) {
    this.#engine = engine;
    this.#exchange = exchange;
    this.#setMarks = setMarks;
    this.#control = control;
    this.#socket = socket;
    this.#listening = listening;
  }

  static async open(parts: Workbench): Promise<Bench> {
    const socket = sockets.next();
    const control = await Control.start(parts.engine);
    const server = createServer(control, {
      version: "conformance",
      pid: process.pid,
      status: quietStatus(parts.engine),
      events: new Events({ epoch: "bench" }),
      onBug: (error) => console.error(error),
    });
    return new Bench(parts, control, socket, await listen(server, socket, { peerOf }));
  }

  async perform(step: Step, of: Case, place: Place): Promise<Observation> {
    switch (step.kind) {
      case "ipvsadm":
        return this.#command(
          runIpvsadm,
          step.words.map((word) => place.fill(word)),
          place.fill(step.stdin),
        );
      case "begin":
        await this.#command(runIpvsadm, ["-R"], `-C\n--set 900 120 300\n${step.rules}`);
        return { kind: "waited" };
      case "rules":
        return this.#command(runIpvsadm, ["-S", "-n"], "");
      case "sysctl":
        return { kind: "saw", lines: await this.#writeSysctl(step.name, step.value) };
      case "sysctl-command":
        return this.#command(runSysctl, step.words, step.stdin);
      case "marks":
        this.#setMarks(step.rules, of, place);
        return { kind: "waited" };
      case "packet": {
        const frame = frameOf(place.fill(step.packet));
        for (let times = timesOf(step.packet); times > 1; times--) await this.#exchange(frame);
        return { kind: "sent", frames: await this.#exchange(frame) };
      }
      case "totals":
        return { kind: "saw", lines: totalsLines(await this.#engine.totals()) };
      case "connections":
        return { kind: "saw", lines: connectionLines(await this.#connections(), place) };
      case "services":
        return { kind: "saw", lines: serviceLines(await this.#engine.services(), place) };
      case "wait":
      case "round":
        return { kind: "waited" };
    }
  }

  /** Has these knobs in force, and those that a step set since the last turn. */
  async turn(knobs: Case["sysctls"]): Promise<void> {
    for (const name of Object.keys(knobs)) {
      if (!(name in DEFAULT_SYSCTLS)) throw new RangeError(`The director has no sysctl ${name}`);
    }
    if (isSame(knobs, this.#knobs)) return;
    this.#knobs = knobs;
    await this.#set(knobs);
  }

  /** At a case's end: takes back what its steps set, too. */
  async restoreKnobs(): Promise<void> {
    this.#knobs = {};
    await this.#set({});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening[Symbol.asyncDispose]();
  }

  async #connections(): Promise<ConnectionStatus[]> {
    const statuses: ConnectionStatus[] = [];
    for await (const status of this.#engine.connections()) statuses.push(status);
    return statuses;
  }

  async #set(knobs: Case["sysctls"]): Promise<void> {
    const sysctls = { ...DEFAULT_SYSCTLS, ...knobs };
    await this.#control.change((state) => ({ ...state, sysctls }));
  }

  /** As the guest's agent reports it. */
  async #writeSysctl(name: string, value: string): Promise<string[]> {
    const client = new Client(this.#socket);
    let result = "ok";
    try {
      await client.call("setSysctls", {}, { [name]: value });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      result = FAULTS[error.code as FaultCode].errno;
    }
    const values = await client.call("listSysctls", {}, undefined);
    client.close();
    return [result, `reads ${values[name]}`];
  }

  async #command(
    run: typeof runIpvsadm,
    words: readonly string[],
    stdin: string,
  ): Promise<Observation> {
    const ran = await runCommand(run, words, stdin, this.#socket);
    return { kind: "ran", ...ran };
  }
}

/** The APIs' sockets, each gone when nobody listens any more. The folder goes with the process: there are thousands of benches. */
const sockets = {
  folder: undefined as string | undefined,
  count: 0,

  next(): string {
    this.folder ??= made();
    return join(this.folder, String(this.count++));
  },
};

function made(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isSame(a: Case["sysctls"], b: Case["sysctls"]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
