/** `sluice plan`: what a configuration file would change. */
import { type Around, ask, EXIT, type ExitCode } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { namedChanges, renderPlan } from "./changes.ts";
import { SEE_ALSO, toWire, withConfiguration } from "./reading.ts";

const HELP = `Usage: sluice plan [--keep-others] [--json] FILE

What a sluice.yaml would change of what stands, and how many connections each change touches: those of what is changed go
on, the packets of what is removed are dropped. What stands and is not in the file would go.

      --keep-others   but not services that are not in the file, as with "others: keep" in it
      --json          one JSON object: { changes: [{ action, what, service, destination, facts, connections, name }] }
  -h, --help          this

${SEE_ALSO}
Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 nothing would change, 2 something would, 1 it could not be told.
`;

const SOMETHING_WOULD = 2;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask(
    "plan",
    around,
    (client) =>
      withConfiguration(
        { args, flags: ["keep-others"], help: HELP, around },
        async ({ flags, configuration }) => {
          const wanted = toWire(configuration, { keepsOthers: flags["keep-others"] });
          const told = await client.configure("plan", wanted);
          const changes = namedChanges(told, configuration.names);
          await around.write(renderPlan(changes, { isJson: flags.json, isDone: false }));
          return changes.length === 0 ? EXIT.done : SOMETHING_WOULD;
        },
      ),
    // 2 means something else here.
    EXIT.failed,
  );
}
