/** `sluice mark`: the daemon's mark rules, by its API. */
import { ApiError, Client } from "../../api/client.ts";
import { socketPath } from "../../api/routes.ts";
import { MARK_HELP, type MarkCommand, parseMarkCommand, UsageError } from "./options.ts";
import { renderMarkRules } from "./render.ts";

const USAGE_EXIT_CODE = 2;

/** Where the command runs. */
export interface MarkSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
}

/** Resolves to the exit code. */
export async function runMark(
  args: readonly string[],
  { environment, write, complain }: MarkSurroundings,
): Promise<number> {
  const client = new Client(socketPath(environment));
  try {
    write(await run(parseMarkCommand(args), client));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`sluice mark: ${error.message}\nTry 'sluice mark --help'.\n`);
      return USAGE_EXIT_CODE;
    }
    complain(`sluice mark: ${inWords(error as Error, client.socketPath)}\n`);
    return 1;
  } finally {
    client.close();
  }
}

async function run(command: MarkCommand, client: Client): Promise<string> {
  switch (command.kind) {
    case "help":
      return MARK_HELP;
    case "list": {
      const reply = await client.call("listMarkRules", {}, undefined);
      return command.isJson
        ? `${JSON.stringify(reply, undefined, 2)}\n`
        : renderMarkRules(reply.markRules);
    }
    case "add": {
      const { rule, position } = command;
      await client.call("addMarkRule", {}, position === undefined ? rule : { ...rule, position });
      return "";
    }
    case "delete":
      await client.call("deleteMarkRule", { rule: await idOf(command.which, client) }, undefined);
      return "";
    case "flush":
      await client.call("flushMarkRules", {}, undefined);
      return "";
  }
}

async function idOf(which: number | string, client: Client): Promise<string> {
  if (typeof which === "string") return which;
  const { markRules } = await client.call("listMarkRules", {}, undefined);
  const rule = markRules[which - 1];
  if (rule !== undefined) return rule.id;
  throw new Error(
    `There is no rule ${which}: ${markRules.length === 0 ? "there are none" : `the last is ${markRules.length}`}`,
  );
}

function inWords(error: Error, path: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof ApiError || code === undefined) return error.message;
  if (code === "EACCES" || code === "EPERM") {
    return `${path} is not yours to use: run as root or as a member of the socket's group.`;
  }
  return `Nothing answers on ${path}: start Sluice with 'sluice daemon', or set SLUICE_SOCKET to its socket.`;
}
