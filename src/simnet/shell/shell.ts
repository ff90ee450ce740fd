/** A host's shell: runs lines, one at a time in the foreground, any number behind it. */
import type { Host } from "../host/host.ts";
import type { Work } from "../time/waiting.ts";
import { Evaluator, type Streams } from "./evaluator.ts";
import { Files } from "./files.ts";
import { SyntaxFault } from "./lexer.ts";
import { Process, type Screen, type Sink } from "./process.ts";
import type { Programs } from "./program.ts";
import { scriptOf } from "./script.ts";

const SYNTAX_ERROR = 2;
const OUTPUT_MAX = 1_000_000;

/** What lines of a shell share. */
export interface ShellState {
  directory: string;
  readonly variables: Map<string, string>;
  readonly history: string[];
  /** Started last behind the shell. */
  lastBackground: Process | undefined;
}

export class Shell {
  readonly state: ShellState = {
    directory: "/root",
    variables: new Map(),
    history: [],
    lastBackground: undefined,
  };
  readonly #host: Host;
  readonly #files: Files;
  readonly #programs: Programs;
  /** Those that run. */
  #processes: Process[] = [];
  #started = 100;

  constructor(host: Host, programs: Programs) {
    this.#host = host;
    this.#files = new Files(host);
    this.#programs = programs;
  }

  start(line: string): Process {
    this.state.history.push(line);
    const screen: Screen = { text: "", stdout: "" };
    const show = (text: string): undefined => {
      screen.text = (screen.text + text).slice(0, OUTPUT_MAX);
    };
    const out: Sink = {
      write: (text) => {
        show(text);
        screen.stdout = (screen.stdout + text).slice(0, OUTPUT_MAX);
      },
    };
    const terminal = { out, err: { write: show }, input: undefined };
    const evaluator = new Evaluator(
      { host: this.#host, files: this.#files, programs: this.#programs, state: this.state },
      {
        find: (id) => this.#processes.find((each) => each.id === id),
        spawn: (work, shown) => this.#spawn(work, shown),
      },
    );
    return this.#spawn((process) => this.#run(evaluator, line, terminal, process), screen);
  }

  /** When the next of its programs goes on by the time alone. */
  get nextTime(): number | undefined {
    let next: number | undefined;
    for (const { status, wait } of this.#processes) {
      if (status !== undefined || wait?.untilMs === undefined) continue;
      if (next === undefined || wait.untilMs < next) next = wait.untilMs;
    }
    return next;
  }

  /** Lets programs go on whose wait is over. True when one did. */
  async wake(nowMs: number): Promise<boolean> {
    let hasMoved = false;
    for (const process of this.#processes.slice()) {
      if (!process.isDue(nowMs)) continue;
      hasMoved = true;
      const promise = process.wait?.promise;
      if (promise !== undefined) await promise;
      process.resume();
    }
    if (hasMoved) this.#processes = this.#processes.filter(({ status }) => status === undefined);
    return hasMoved;
  }

  *#run(evaluator: Evaluator, line: string, terminal: Streams, process: Process): Work<number> {
    try {
      return yield* evaluator.script(scriptOf(line), terminal, process);
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      terminal.err.write(`bash: ${error.message}\n`);
      return SYNTAX_ERROR;
    }
  }

  #spawn(work: (process: Process) => Work<number>, screen?: Screen): Process {
    // The work wants its process, and the process its work: the generator begins when it is resumed.
    const holder: { process?: Process } = {};
    const later = function* (): Work<number> {
      return yield* work(holder.process!);
    };
    const process = new Process(++this.#started, later(), screen);
    holder.process = process;
    this.#processes.push(process);
    return process;
  }
}
