/** One run of ipvsadm: from its words to its exit code. */
import { connect } from "./connect.ts";
import { execute, type Session } from "./execute.ts";
import { complain } from "./failure.ts";
import { informationFor } from "./information.ts";
import type { Names } from "./naming.ts";
import { parse } from "./parse.ts";
import { restore } from "./restore.ts";

/** What a run may touch. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly names: Names;
  readonly stdin: AsyncIterable<Buffer | string>;
  /** Resolves when more may be written. */
  readonly write: (text: string) => Promise<void>;
  readonly complain: (text: string) => void;
  /** Whether somebody looks on while it is written. */
  readonly isTerminal?: boolean;
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
    return complain(error, around.complain);
  }
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
  if (command.kind === "restore") return restore(around.stdin, session, around.complain);
  if (command.kind !== "help" && command.kind !== "version") await execute(command, session);
  return 0;
}
