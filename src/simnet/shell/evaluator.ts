/** Carries out what a line of the shell asks for. */
import type { Host } from "../host/host.ts";
import type { Work } from "../time/waiting.ts";
import { BUILTINS } from "./builtins.ts";
import { Expansion } from "./expansion.ts";
import { type Files, resolvePath } from "./files.ts";
import { Pipe, type Process, type Screen, type Sink } from "./process.ts";
import type { Context, Programs } from "./program.ts";
import { type Command, type Item, type Redirection, type Script, scriptOf } from "./script.ts";
import type { ShellState } from "./shell.ts";

const NOT_FOUND = 127;
const LOOPS_MAX = 100_000;

export interface Streams {
  readonly out: Sink;
  readonly err: Sink;
  readonly input: Pipe | undefined;
}

interface Around {
  readonly host: Host;
  readonly files: Files;
  readonly programs: Programs;
  readonly state: ShellState;
}

interface Processes {
  find(id: number): Process | undefined;
  spawn(work: (process: Process) => Work<number>, screen?: Screen): Process;
}

export class Evaluator {
  readonly #around: Around;
  readonly #processes: Processes;
  readonly #expansion: Expansion;
  #status = 0;

  constructor(around: Around, processes: Processes) {
    this.#around = around;
    this.#processes = processes;
    this.#expansion = new Expansion(around.state, around.files, {
      status: () => this.#status,
      output: (script, process) => this.#outputOf(script, process),
    });
  }

  *script(script: Script, streams: Streams, process: Process): Work<number> {
    for (const item of script) {
      if (process.isInterrupted) return 130;
      const isWanted =
        item.condition === "always" || (item.condition === "&&") === (this.#status === 0);
      if (!isWanted) continue;
      const status = yield* this.#item(item, streams, process);
      this.#status = item.isNegated ? Number(status === 0) : status;
    }
    return this.#status;
  }

  *#item({ pipeline, isBackground }: Item, streams: Streams, process: Process): Work<number> {
    if (isBackground) {
      const work = (own: Process): Work<number> => this.#apart().#pipeline(pipeline, streams, own);
      const background = this.#spawn(work, process);
      this.#around.state.lastBackground = background;
      return 0;
    }
    return yield* this.#pipeline(pipeline, streams, process);
  }

  *#pipeline(commands: readonly Command[], streams: Streams, process: Process): Work<number> {
    if (commands.length === 1) return yield* this.#command(commands[0]!, streams, process);
    const pipes = commands.slice(1).map(() => new Pipe());
    const parts = commands.map((command, index) => {
      const own: Streams = {
        out: pipes[index] ?? streams.out,
        err: streams.err,
        input: index === 0 ? streams.input : pipes[index - 1],
      };
      const part = this.#spawn((each) => this.#apart().#command(command, own, each), process);
      part.atEnd.push(() => {
        if (pipes[index] !== undefined) pipes[index].isEnded = true;
        if (index > 0) pipes[index - 1]!.isBroken = true;
      });
      return part;
    });
    const last = parts.at(-1)!;
    while (last.status === undefined) yield { isDone: () => last.status !== undefined };
    // Whoever still writes to nobody ends by it (SIGPIPE); who reads or writes elsewhere ends by itself.
    for (const [index, part] of parts.entries()) {
      if (pipes[index]?.isBroken) part.kill(141);
    }
    const isDone = (): boolean => parts.every(({ status }) => status !== undefined);
    while (!isDone()) yield { isDone };
    return last.status;
  }

  *#command(command: Command, streams: Streams, process: Process): Work<number> {
    const opened = yield* this.#redirect(command.redirections, streams, process);
    if (opened === undefined) return 1;
    let status: number;
    switch (command.kind) {
      case "simple":
        status = yield* this.#simple(command, opened.streams, process);
        break;
      case "group":
        status = yield* (command.isApart ? this.#apart() : this).script(
          command.body,
          opened.streams,
          process,
        );
        break;
      case "for":
        status = yield* this.#for(command, opened.streams, process);
        break;
      case "if":
        status = yield* this.#if(command, opened.streams, process);
        break;
      case "while":
        status = yield* this.#while(command, opened.streams, process);
        break;
    }
    const complaint = opened.close();
    if (complaint === undefined) return status;
    const name = command.kind === "simple" ? (nameIn(command) ?? "") : "";
    streams.err.write(`bash: ${name}: write error: ${complaint}\n`);
    return 1;
  }

  *#simple(
    { assignments, words }: Extract<Command, { kind: "simple" }>,
    streams: Streams,
    process: Process,
  ): Work<number> {
    const expanded: string[] = [];
    for (const word of words) expanded.push(...(yield* this.#expansion.fields(word, process)));
    if (expanded.length === 0) {
      let status = 0;
      for (const { name, value } of assignments) {
        this.#around.state.variables.set(name, yield* this.#expansion.text(value, process));
        status = this.#status;
      }
      const hasRun = assignments.some(({ value }) => value.some(({ kind }) => kind === "command"));
      return hasRun ? status : 0;
    }
    return yield* this.#run(expanded, streams, process);
  }

  *#for(
    { variable, words, body }: Extract<Command, { kind: "for" }>,
    streams: Streams,
    process: Process,
  ): Work<number> {
    const values: string[] = [];
    for (const word of words) values.push(...(yield* this.#expansion.fields(word, process)));
    let status = 0;
    for (const value of values) {
      if (process.isInterrupted) return 130;
      this.#around.state.variables.set(variable, value);
      status = yield* this.script(body, streams, process);
    }
    return status;
  }

  *#if(
    { branches, otherwise }: Extract<Command, { kind: "if" }>,
    streams: Streams,
    process: Process,
  ): Work<number> {
    for (const { condition, body } of branches) {
      if ((yield* this.script(condition, streams, process)) === 0) {
        return yield* this.script(body, streams, process);
      }
    }
    // Nothing done is no failure, whatever the last condition said.
    this.#status = 0;
    return yield* this.script(otherwise, streams, process);
  }

  *#while(
    { condition, body }: Extract<Command, { kind: "while" }>,
    streams: Streams,
    process: Process,
  ): Work<number> {
    let status = 0;
    for (let loops = 0; loops < LOOPS_MAX; loops++) {
      if (process.isInterrupted) return 130;
      if ((yield* this.script(condition, streams, process)) !== 0) return status;
      status = yield* this.script(body, streams, process);
    }
    return status;
  }

  *#run(words: readonly string[], streams: Streams, process: Process): Work<number> {
    const [name = "", ...rest] = words;
    const context = this.#contextOf(streams, process);
    const builtin = BUILTINS[name];
    if (builtin !== undefined) return yield* builtin(rest, context, this.#around.state);
    const program = this.#around.programs[name.replace(/^(\/usr)?(\/local)?\/s?bin\//, "")];
    if (program !== undefined) return yield* program(rest, context);
    streams.err.write(
      `bash: ${name}: ${name.includes("/") ? "No such file or directory" : "command not found"}\n`,
    );
    return NOT_FOUND;
  }

  #contextOf({ out, err, input }: Streams, process: Process): Context {
    const { host, files } = this.#around;
    return {
      host,
      files,
      out,
      err,
      input,
      process,
      shell: {
        directory: this.#around.state.directory,
        find: (id) => this.#processes.find(id),
        spawn: (words, context) =>
          this.#spawn((own) => this.#run(words, context, own), context.process),
      },
    };
  }

  /** A subshell: it begins with what this one knows, and keeps what it learns to itself. */
  #apart(): Evaluator {
    const { state } = this.#around;
    const own = { ...state, variables: new Map(state.variables) };
    return new Evaluator({ ...this.#around, state: own }, this.#processes);
  }

  #spawn(work: (process: Process) => Work<number>, parent: Process): Process {
    const child = this.#processes.spawn(work);
    parent.children.push(child);
    return child;
  }

  *#outputOf(script: string, process: Process): Work<string> {
    const collected = { text: "" };
    const out: Sink = {
      write: (text) => {
        collected.text += text;
      },
    };
    const streams = { out, err: { write: () => undefined }, input: undefined };
    this.#status = yield* this.script(scriptOf(script), streams, process);
    return collected.text.replace(/\n+$/, "");
  }

  *#redirect(
    redirections: readonly Redirection[],
    streams: Streams,
    process: Process,
  ): Work<{ readonly streams: Streams; readonly close: () => string | undefined } | undefined> {
    let { out, err, input } = streams;
    const closes: (() => string | undefined)[] = [];
    for (const { operator, target } of redirections) {
      if (operator === "2>&1") err = out;
      else if (operator === "1>&2" || operator === ">&2") out = err;
      if (target === undefined) continue;
      const text = yield* this.#expansion.text(target, process);
      const path = resolvePath(this.#around.state.directory, text);
      if (operator === "<") {
        const content = this.#around.files.read(path);
        if (content === undefined) return this.#cannotOpen(text, streams);
        input = new Pipe();
        input.write(content);
        input.isEnded = true;
        continue;
      }
      if (!this.#around.files.canOpen(path)) return this.#cannotOpen(text, streams);
      const file = new OpenFile(this.#around.files, path, operator.endsWith(">>"));
      closes.push(() => file.close());
      if (operator.startsWith("2")) err = file;
      else out = file;
      if (operator.startsWith("&")) err = file;
    }
    const close = (): string | undefined =>
      closes.map((each) => each()).find((complaint) => complaint !== undefined);
    return { streams: { out, err, input }, close };
  }

  #cannotOpen(path: string, { err }: Streams): undefined {
    err.write(`bash: ${path}: No such file or directory\n`);
  }
}

/** What goes to a file gets there when it is closed: settings take a value in one piece. */
class OpenFile implements Sink {
  readonly #files: Files;
  readonly #path: string;
  readonly #isAppending: boolean;
  #text = "";

  constructor(files: Files, path: string, isAppending: boolean) {
    this.#files = files;
    this.#path = path;
    this.#isAppending = isAppending;
  }

  write(text: string): undefined {
    this.#text += text;
  }

  close(): string | undefined {
    if (this.#path.startsWith("/proc/") && this.#text === "") return undefined;
    return this.#files.write(this.#path, this.#text, this.#isAppending);
  }
}

function nameIn({ words }: Extract<Command, { kind: "simple" }>): string | undefined {
  const [first] = words[0] ?? [];
  return first?.kind === "text" ? first.text : undefined;
}
