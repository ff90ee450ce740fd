/** `sluice check`: whether a configuration file is right. */
import type { Configuration } from "../../configuration/load.ts";
import { type Around, ask, EXIT, type ExitCode } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { SEE_ALSO, toWire, withConfiguration } from "./reading.ts";

const HELP = `Usage: sluice check [--json] [--lines [--daemon]] FILE

Whether a sluice.yaml is right, with the files that it includes. All that is wrong is told, a line each: file, line,
column, which value, what would be right. Needs no daemon.

      --json    one JSON object: { problems: [{ file, line, column, path, message }] }
      --lines   if it is right: what it wants, as PUT /v1/configuration takes it, a JSON object a line
      --daemon  with --lines: before them what it says of the daemon itself, passwords included
  -h, --help    this

${SEE_ALSO}

Exit status: 0 it is right, 1 it is not, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("check", around, () =>
    withConfiguration(
      { args, flags: ["lines", "daemon"], help: HELP, around },
      async ({ file, flags, configuration }) => {
        if (flags.lines) {
          if (flags.daemon) await around.write(`${JSON.stringify(configuration.daemon)}\n`);
          for (const line of linesOf(configuration)) await around.write(line);
          return EXIT.done;
        }
        const { services } = configuration.wanted;
        const servers = services.reduce((sum, { destinations }) => sum + destinations.length, 0);
        await around.write(
          flags.json
            ? `${JSON.stringify({ problems: [] }, undefined, 2)}\n`
            : `${file} is right: ${count(services.length, "service")}, ${count(servers, "destination")}.\n`,
        );
        return EXIT.done;
      },
    ),
  );
}

function* linesOf(configuration: Configuration): Generator<string> {
  const { settings, services } = toWire(configuration, { keepsOthers: false });
  for (const line of [settings, ...services]) yield `${JSON.stringify(line)}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
