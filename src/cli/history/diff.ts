/** `sluice diff`: what is different since an earlier generation. */
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { previous, print, readWords } from "./generation.ts";

const HELP = `Usage: sluice diff [--json] [GENERATION]

What is different since a generation was in force: what was added since, changed, removed. Without one: since the one
before the last change. sluice history lists them.

      --json   one JSON object: { changes: [{ action, what, service, destination, facts, connections, name }] }
  -h, --help   this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 it could not be told, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("diff", around, async (client) => {
    const { help, json: isJson, dryRun, generation: asked } = readWords(args);
    if (help) {
      await around.write(HELP);
      return EXIT.done;
    }
    if (dryRun) throw new UsageError("--dry-run is sluice rollback's");
    const generation = asked ?? (await previous(client));
    const plan = await client.call("differenceSince", { generation }, undefined);
    if (plan.changes.length === 0 && !isJson) await around.write("Nothing is different.\n");
    else await print(plan, client, around, { isJson, isDone: true });
    return EXIT.done;
  });
}
