/** `sluice status`: how the daemon is, what is wrong, and what to do. */
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { isUnwell } from "./health.ts";
import { page } from "./page.ts";

const HELP = `Usage: sluice status [--json]

How the running daemon is: its engine, services and connections, and what keeps services from working though
nothing refused them: a VIP that is not the host's, forwarding that is off, a server without a route or that does
not answer, a firewall that lets no client's packet through, a client on the director itself. Then what health checks
know of each destination: since when, why, its weight, how long its last answer took; of many, those that are not well.

      --json   one JSON object, as GET /v1/status has it
  -h, --help   this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 nothing is known to be wrong, 1 nobody could be asked, 2 wrong arguments, 3 something is wrong.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("status", around, async (client) => {
    const { help, json } = readArguments(args, { json: FLAG }, { allowPositionals: false }).values;
    if (help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const status = await client.call("status", {}, undefined);
    await around.write(
      json ? `${JSON.stringify(status, undefined, 2)}\n` : page(status, new Date()),
    );
    const { findings, health, stateTrouble, refusedReload } = status;
    const isWell =
      findings.length === 0 && !isUnwell(health) && stateTrouble === null && refusedReload === null;
    return isWell ? EXIT.done : EXIT.wrong;
  });
}
