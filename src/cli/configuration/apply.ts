/** `sluice apply`: puts a configuration file in force. */
import type { Configuration } from "../../configuration/load.ts";
import { type Around, ask, EXIT, type ExitCode } from "../question.ts";
import { healthText } from "../status/health.ts";
import { processSurroundings } from "../surroundings.ts";
import { namedChanges, renderPlan } from "./changes.ts";
import { SEE_ALSO, toWire, withConfiguration } from "./reading.ts";
import { waitForHealth } from "./wait.ts";

const HELP = `Usage: sluice apply [--dry-run] [--wait] [--keep-others] [--json] FILE

Puts a sluice.yaml in force: all of it or, when anything is refused, nothing. What stands and is not in the file goes.
What is the same is left alone: its connections, counters and turns go on. A destination whose weight the file does not
say keeps the weight that it has. Prints what it changed.

      --dry-run       changes nothing, and prints what it would change
      --wait          then waits until the health of all that is checked is known, and tells it
      --keep-others   services that are not in the file stay, as with "others: keep" in it
      --json          one JSON object: { changes: [{ action, what, service, destination, facts, connections, name }] }
  -h, --help          this

${SEE_ALSO}
Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 it is in force, 1 it is not and nothing was changed, 2 wrong arguments, 3 with --wait: it is in force,
and a service has not its quorum, or the health of some is not known.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("apply", around, (client) =>
    withConfiguration(
      { args, flags: ["dry-run", "wait", "keep-others"], help: HELP, around },
      async ({ flags, configuration }) => {
        const wanted = toWire(configuration, { keepsOthers: flags["keep-others"] });
        const isDone = !flags["dry-run"];
        const told = await client.configure(isDone ? "apply" : "plan", wanted);
        const changes = namedChanges(told, configuration.names);
        await around.write(renderPlan(changes, { isJson: flags.json, isDone }));
        const own = ownSections(configuration);
        if (isDone && own.length > 0) around.complain(`${ownNote(own)}\n`);
        if (!flags.wait || !isDone) return EXIT.done;
        const { health, isWell } = await waitForHealth(client, wanted.services);
        // With --json there is one object alone on standard output.
        if (!flags.json) await around.write(healthText(health, new Date()));
        return isWell ? EXIT.done : EXIT.wrong;
      },
    ),
  );
}

/** What the file says of the daemon itself, which is not this command's to change. */
function ownSections({ daemon: { metrics, api, notify } }: Configuration): string[] {
  return Object.entries({ metrics, api, notify: notify.length > 0 || undefined }).flatMap(
    ([name, value]) => (value === undefined ? [] : [name]),
  );
}

function ownNote(sections: readonly string[]): string {
  const [last, ...others] = sections.toReversed();
  const named = others.length === 0 ? last : `${others.toReversed().join(", ")} and ${last}`;
  const [is, it] = others.length === 0 ? ["is", "it"] : ["are", "them"];
  return `sluice apply: ${named} ${is} the daemon's own: it heeds ${it} in the file of its --config, at its start and when it is reloaded (SIGHUP, systemctl reload sluice)`;
}
