/** One run of ipvsadm: from its words to its exit code. */
import { connect } from "./connect.ts";
import { execute, type Session } from "./execute.ts";
import { Failure, tryHelp } from "./failure.ts";
import type { Names } from "./names.ts";
import { parse } from "./parse.ts";
import { readOptions } from "./popt.ts";
import { USAGE } from "./usage.ts";
import { VERSION } from "./version.ts";

/** What a run may touch. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly names: Names;
  readonly stdin: AsyncIterable<Buffer | string>;
  /** Resolves when more may be written. */
  readonly write: (text: string) => Promise<void>;
  readonly complain: (text: string) => void;
}

export async function run(words: readonly string[], around: Surroundings): Promise<number> {
  try {
    // Before the words are looked at, as ipvsadm does: even help and version are refused without a director.
    await using connection = await open(around);
    const information = informationFor(words);
    if (information !== undefined) {
      await around.write(information);
      return 0;
    }
    return await obey(words, connection.session, around);
  } catch (error) {
    return complain(error, around);
  }
}

/** Help and version. */
function informationFor(words: readonly string[]): string | undefined {
  const first = readOptions(words, []).next().value;
  if (first === undefined || "fault" in first) return undefined;
  if (first.tag === "version") return VERSION;
  return first.tag === "help" ? VERSION + USAGE : undefined;
}

async function open({ environment, names, write }: Surroundings) {
  const { client, info } = await connect(environment);
  const session: Session = { client, info, names, write };
  return {
    session,
    async [Symbol.asyncDispose]() {
      client.close();
    },
  };
}

async function obey(
  words: readonly string[],
  session: Session,
  around: Surroundings,
): Promise<number> {
  const command = await parse(words, session.names);
  if (command.kind === "restore") return restore(session, around);
  if (command.kind !== "help" && command.kind !== "version") await execute(command, session);
  return 0;
}

/**
 * Runs a command a line. What the daemon refuses is told and passed over; a mistake in a line ends the run, with the
 * lines before it in force. The exit code is the last line's.
 */
async function restore(session: Session, around: Surroundings): Promise<number> {
  let exitCode = 0;
  for await (const words of commandLines(around.stdin)) {
    const information = informationFor(words);
    if (information !== undefined) {
      await around.write(information);
      return 0;
    }
    try {
      const command = await parse(words, session.names);
      if (command.kind === "restore") throw tryHelp();
      if (command.kind !== "help" && command.kind !== "version") await execute(command, session);
      exitCode = 0;
    } catch (error) {
      exitCode = complain(error, around);
      if (!(error instanceof Failure) || error.isFinal) return exitCode;
    }
  }
  return exitCode;
}

/** The words of each line that has any. A line may begin with the program's name, as in a shell script. */
async function* commandLines(stdin: Surroundings["stdin"]): AsyncGenerator<string[]> {
  for await (const line of linesOf(stdin)) {
    const words = line.split(/[ \t\r]+/).filter((word) => word !== "");
    while (words[0] === "ipvsadm") words.shift();
    if (words.length > 0) yield words;
  }
}

async function* linesOf(stdin: Surroundings["stdin"]): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stdin) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest;
}

/** Tells why and returns the exit code. What is no refusal is a bug of ours, or a daemon that went away. */
function complain(error: unknown, { complain: tell }: Surroundings): number {
  if (error instanceof Failure) {
    tell(`${error.message}\n`);
    return error.exitCode;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  tell(code === undefined ? `${(error as Error).stack}\n` : `Lost the daemon: ${message}\n`);
  return 255;
}
