/**
 * `ipvsadm -R`: a command a line. What the daemon refuses is told and passed over; a mistake in a line ends the run, with
 * the lines before it in force. The exit code is the last line's.
 *
 * Changes go to the daemon many at a time, while the next lines are read. What is told, and in which order, is as if each
 * had been waited for.
 */
import type { Change } from "../../api/routes.ts";
import {
  asFailure,
  changeOf,
  type Executable,
  execute,
  isChanging,
  type Session,
} from "./execute.ts";
import { complain, Failure, tryHelp } from "./failure.ts";
import { informationFor } from "./information.ts";
import { parse } from "./parse.ts";

/** Changes that go together. */
const TOGETHER_MAX = 1_000;

type Stdin = AsyncIterable<Buffer | string>;

/** A line that is still to be answered for: a change, or words that popt does not know. */
type Line =
  | { readonly command: Executable; readonly change: Change }
  | { readonly failure: Failure };

export async function restore(
  stdin: Stdin,
  session: Session,
  tell: (text: string) => void,
): Promise<number> {
  const run = new Restore(session, tell);
  try {
    for await (const lines of portionsOf(stdin)) {
      for (const line of lines) {
        const words = wordsOf(line);
        if (words.length > 0 && (await run.take(words)) === "stop") return run.exitCode;
      }
      // More may be long in coming.
      await run.settle();
    }
  } catch (error) {
    return complain(error, tell);
  }
  return run.exitCode;
}

class Restore {
  readonly #session: Session;
  readonly #tell: (text: string) => void;
  #lines: Line[] = [];
  /** The portion before, under way. */
  #sent: Promise<void> | undefined;
  exitCode = 0;

  constructor(session: Session, tell: (text: string) => void) {
    this.#session = session;
    this.#tell = tell;
  }

  /** "stop": that was the last line. */
  async take(words: readonly string[]): Promise<"stop" | undefined> {
    const information = informationFor(words);
    if (information !== undefined) {
      await this.settle();
      await this.#session.write(information);
      this.exitCode = 0;
      return "stop";
    }
    try {
      const command = await parse(words, this.#session.names);
      if (command.kind === "restore") throw tryHelp();
      if (command.kind !== "help" && command.kind !== "version") await this.#obey(command);
      return undefined;
    } catch (error) {
      if (error instanceof Failure && !error.isFinal) {
        this.#lines.push({ failure: error });
        return undefined;
      }
      await this.settle();
      this.exitCode = complain(error, this.#tell);
      return "stop";
    }
  }

  /** Resolves when all lines are answered for. */
  async settle(): Promise<void> {
    await this.#send();
    await this.#sent;
  }

  async #obey(command: Executable): Promise<void> {
    if (!isChanging(command)) {
      await this.settle();
      await execute(command, this.#session);
      this.exitCode = 0;
      return;
    }
    this.#lines.push({ command, change: changeOf(command) });
    if (this.#lines.length >= TOGETHER_MAX) await this.#send();
  }

  /** Resolves when the portion before is answered for, and this one is under way. */
  async #send(): Promise<void> {
    await this.#sent;
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    const sent = this.#give(lines);
    // It is awaited later, and must not be unhandled until then.
    sent.catch(() => {});
    this.#sent = sent;
  }

  async #give(lines: readonly Line[]): Promise<void> {
    const changes = lines.flatMap((line) => ("change" in line ? line.change : []));
    const errors = changes.length === 0 ? [] : await this.#session.client.changes(changes);
    let next = 0;
    for (const line of lines) {
      const failure = "failure" in line ? line.failure : asFailure(errors[next++], line.command);
      this.exitCode = failure === undefined ? 0 : complain(failure, this.#tell);
    }
  }
}

/** A line may begin with the program's name, as in a shell script. */
export function wordsOf(line: string): string[] {
  const words = line.split(/[ \t\r]+/).filter((word) => word !== "");
  while (words[0] === "ipvsadm") words.shift();
  return words;
}

/** The lines, as many at a time as have come. */
async function* portionsOf(stdin: Stdin): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stdin) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    yield lines;
  }
  yield [rest];
}
