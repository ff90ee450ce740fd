/** `sluice engine`: what of the kernel engine runs here, with a daemon or without one, and its end. */
import { dirname } from "node:path";
import { socketPath } from "../../api/routes.ts";
import { NamespaceTakenError } from "../../engine/host/namespace-claim.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";

const HELP = `Usage: sluice engine status [--json]
       sluice engine detach

The kernel engine's programs outlive their daemon, however it ended, for its --grace, and one that was started with
--detach-on-exit for any time, until the next one goes on with them. status says what runs in this network namespace; detach ends
it where no daemon lives: programs, what they know, the rules that lead packets to them, the lane. The ports are the host's
then, and connections are refused.

      --json   JSON: { folder, object, connectionsMax, hook, interfaces }; null where nothing runs.
               hook is tcx, clsact or xdp; at each interface programs run at ingress, egress, xdp
               (native) or xdpgeneric
  -h, --help   this

Finds what a daemon left by $SLUICE_SOCKET, else beside /run/sluice/sluice.sock.

Exit status: 0 done, 1 it cannot be, 2 wrong arguments.
`;

const OPTIONS = { json: FLAG, help: { ...FLAG, short: "h" } } as const;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export async function run(
  args: readonly string[],
  { environment, write, complain }: Pick<Around, "environment" | "write" | "complain">,
): Promise<ExitCode> {
  try {
    const { values, positionals } = readArguments(args, OPTIONS);
    if (values.help) {
      await write(HELP);
      return EXIT.done;
    }
    const [action, ...more] = positionals;
    if (more.length > 0) throw new UsageError(`one word too many: ${more[0]}`);
    const folder = dirname(socketPath(environment));
    await write(await answer(action, folder, values.json));
    return EXIT.done;
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`sluice engine: ${error.message}\nTry 'sluice engine --help'.\n`);
      return EXIT.usage;
    }
    complain(`sluice engine: ${reasonOf(error)}\n`);
    return EXIT.failed;
  }
}

async function answer(action: string | undefined, folder: string, json: boolean): Promise<string> {
  if (action === "status") {
    const { readKept } = await import("../../engine/kernel/kept-engine.ts");
    const kept = readKept(folder);
    if (json) return `${JSON.stringify(kept ?? null)}\n`;
    return kept === undefined ? "nothing of the kernel engine's is kept here\n" : inWords(kept);
  }
  if (action === "detach") {
    if (json) throw new UsageError("--json is for status");
    const { detach } = await import("../../engine/kernel/kept-engine.ts");
    const ended = await detach(folder);
    return ended
      ? "what ran of the kernel engine's is ended\n"
      : "nothing of the kernel engine's ran here\n";
  }
  throw new UsageError(
    action === undefined ? "expected status or detach" : `${action}: expected status or detach`,
  );
}

type Kept = Exclude<
  ReturnType<typeof import("../../engine/kernel/kept-engine.ts").readKept>,
  undefined
>;

function inWords({ folder, object, connectionsMax, hook, interfaces }: Kept): string {
  const where = interfaces.map((each) => `  ${each.name.padEnd(16)}${each.direction}\n`).join("");
  return `the kernel engine's programs are kept in ${folder}
object ${object ?? "unknown"}, for ${connectionsMax ?? "?"} connections, at ${hook}
${where}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof NamespaceTakenError) {
    const who = error.pid === undefined ? "" : ` (process ${error.pid})`;
    return `a daemon${who} runs in this network namespace, and needs them: end it first`;
  }
  if (!(error instanceof Error)) throw error;
  return error.message;
}
