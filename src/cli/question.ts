/** What commands share that ask the running daemon something and print the answer. */
import { ApiError, Client } from "../api/client.ts";
import { socketPath } from "../api/routes.ts";
import { adviceFor } from "./ipvsadm/connect.ts";
import type { Surroundings } from "./ipvsadm/run.ts";

export type Around = Pick<Surroundings, "environment" | "write" | "complain" | "isTerminal">;

/** The words make no sense; the message says which and what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const EXIT = { done: 0, failed: 1, usage: 2, wrong: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Resolves to the exit code of `answer`, or of why there is none: `usageExit` for what makes no sense. `command` completes "sluice ...". */
export async function ask(
  command: string,
  around: Around,
  answer: (client: Client) => Promise<ExitCode>,
  usageExit: ExitCode = EXIT.usage,
): Promise<ExitCode> {
  const path = socketPath(around.environment);
  const client = new Client(path, `sluice ${command}`);
  try {
    return await answer(client);
  } catch (error) {
    if (error instanceof UsageError) {
      around.complain(`sluice ${command}: ${error.message}\nTry 'sluice ${command} --help'.\n`);
      return usageExit;
    }
    around.complain(`sluice ${command}: ${reasonOf(error as NodeJS.ErrnoException, path)}\n`);
    return EXIT.failed;
  } finally {
    client.close();
  }
}

function reasonOf(error: NodeJS.ErrnoException, path: string): string {
  if (error instanceof ApiError) return error.message;
  if (error.code === undefined) throw error;
  return adviceFor(error.code, path);
}
