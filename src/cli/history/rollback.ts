/** `sluice rollback`: goes back to an earlier generation. */
import { type Around, ask, EXIT, type ExitCode } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { previous, print, readWords } from "./generation.ts";

const HELP = `Usage: sluice rollback [--dry-run] [--json] [GENERATION]

Puts in force what stood as of a generation, all of it or nothing, and prints what that changes; without one: the state
before the last change. Going back is a change, too, with a generation of its own: rolling back once more undoes it.
sluice history lists them. A file that says otherwise is not changed: sluice status then shows the drift.

      --dry-run   changes nothing, and prints what it would change
      --json      one JSON object: { changes: [{ action, what, service, destination, facts, connections, name }] }
  -h, --help      this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 it could not be done, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("rollback", around, async (client) => {
    const { help, json: isJson, dryRun, generation: asked } = readWords(args);
    if (help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const generation = asked ?? (await previous(client));
    const route = dryRun ? "planRollback" : "rollback";
    const plan = await client.call(route, { generation }, undefined);
    await print(plan, client, around, { isJson, isDone: !dryRun });
    return EXIT.done;
  });
}
