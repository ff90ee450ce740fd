/** `sluice export`: what stands, as a configuration file. */

import { formatProblem } from "../../configuration/problem.ts";
import { unsayable, writeConfiguration } from "../../configuration/write.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode } from "../question.ts";
import { contentStanding } from "../services/words.ts";
import { processSurroundings } from "../surroundings.ts";

const HELP = `Usage: sluice export [--json]

Writes what stands as a sluice.yaml: services with their destinations, timeouts, knobs that are not as by default. The
file says every weight; whoever takes one out leaves it to other hands.

      --json   as JSON, which is YAML, too
  -h, --help   this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 nobody could be asked, or there is something that a file may not say, 2 wrong arguments.
`;

const COMMENT = [
  "What stood when sluice export was asked. docs/configuration.md has every key.",
  "sluice check FILE, then sluice plan FILE, then sluice apply FILE.",
];

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("export", around, async (client) => {
    const { help, json } = readArguments(args, { json: FLAG }, { allowPositionals: false }).values;
    if (help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const content = await contentStanding(client);
    await around.write(
      json ? `${JSON.stringify(content, undefined, 2)}\n` : writeConfiguration(content, COMMENT),
    );
    const problems = unsayable(content);
    for (const problem of problems) around.complain(`sluice export: ${formatProblem(problem)}\n`);
    return problems.length === 0 ? EXIT.done : EXIT.failed;
  });
}
