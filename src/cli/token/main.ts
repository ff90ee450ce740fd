/** `sluice token`: who may use the daemon's API over TCP. Works on the tokens' file; a daemon sees what it says at once. */

import { DEFAULT_TOKENS } from "../../api/secure/default-tokens.ts";
import { SCOPES, type Scope, TokenError, Tokens } from "../../api/secure/tokens.ts";
import { prepareFolder } from "../../control/folder.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";

const HELP = `Usage: sluice token create NAME [--scope read|admin] [--tokens FILE]
       sluice token list [--json] [--tokens FILE]
       sluice token revoke NAME [--tokens FILE]

Tokens for the API over TCP: sluice daemon --api. A token is written once, by create, to standard output; the file has its
hash alone. One that is revoked opens nothing from then on.

      --scope SCOPE   read (default): what asks and changes nothing; admin: everything
      --tokens FILE   where they are kept, as the daemon's --tokens (default: ${DEFAULT_TOKENS})
      --json          a JSON object
  -h, --help          this

Exit status: 0 done, 1 it cannot be, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export async function run(
  args: readonly string[],
  { write, complain }: Pick<Around, "write" | "complain">,
): Promise<ExitCode> {
  try {
    const { values, positionals } = readArguments(args, OPTIONS);
    if (values.help) {
      await write(HELP);
      return EXIT.done;
    }
    await write(await answer(positionals, values));
    return EXIT.done;
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`sluice token: ${error.message}\nTry 'sluice token --help'.\n`);
      return EXIT.usage;
    }
    const isKnown = error instanceof TokenError || (error as Error).name === "FolderError";
    if (!isKnown) throw error;
    complain(`sluice token: ${(error as Error).message}\n`);
    return EXIT.failed;
  }
}

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>["values"];

async function answer(
  [action, name, ...more]: readonly string[],
  { scope, tokens: path, json }: Values,
): Promise<string> {
  const tokens = new Tokens(path);
  if (more.length > 0) throw new UsageError(`one word too many: ${more[0]}`);
  switch (action) {
    case "create":
      await prepareFolder(path, "--tokens");
      return `${await tokens.create(named(name, action), scopeOf(scope))}\n`;
    case "revoke":
      await tokens.revoke(named(name, action));
      return "";
    case "list": {
      const all = await tokens.list();
      if (json) return `${JSON.stringify({ tokens: all }, undefined, 2)}\n`;
      const rows = all.map(
        (each) => `${each.name.padEnd(24)} ${each.scope.padEnd(6)} ${each.createdAt}\n`,
      );
      return rows.length === 0 ? `There are no tokens in ${path}.\n` : rows.join("");
    }
    default:
      throw new UsageError(`${action ?? "nothing"}: expected create, list or revoke`);
  }
}

function named(name: string | undefined, action: string): string {
  if (name === undefined) throw new UsageError(`${action} needs a token's name`);
  return name;
}

function scopeOf(text: string): Scope {
  const scope = SCOPES.find((each) => each === text);
  if (scope === undefined) throw new UsageError(`--scope ${text}: expected ${SCOPES.join(" or ")}`);
  return scope;
}

const OPTIONS = {
  scope: { type: "string", default: "read" },
  tokens: { type: "string", default: DEFAULT_TOKENS },
  json: FLAG,
} as const;
