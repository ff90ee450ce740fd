/** `sluice replay`: how recorded traffic would have been spread. */

import { readFile } from "node:fs/promises";
import { loadConfiguration } from "../../configuration/load.ts";
import { ConfigurationError, formatProblem } from "../../configuration/problem.ts";
import { EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { reconcile } from "../../ipvs/desired/wanted.ts";
import { SCHEDULERS, type SchedulerName } from "../../ipvs/schedulers/index.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { CaptureError, type RecordedPacket, recordedPackets } from "./frames.ts";
import { replayPage } from "./page.ts";
import { replay } from "./replay.ts";

const HELP = `Usage: sluice replay [options] FILE --config FILE

How the recorded traffic of FILE (pcap or pcapng, as tcpdump and Wireshark write it) would have been spread by a sluice.yaml:
each packet goes through a director of its own, at its own time. Connections, packets and bytes of each server. Needs no
daemon, and sends nothing.

      --config FILE      the sluice.yaml
      --scheduler NAMES  all services with these schedulers, side by side: --scheduler rr,wlc,mh; without it as configured
      --json             one JSON object: { packets, spreads: [{ scheduler, services, reasons }] }
  -h, --help             this

What a director itself sent on is not counted twice, nor what it asks servers: frames that were recorded as outgoing, or
whose sender is where clients' packets were sent to. Connections that began before the capture did are nobody's. A capture knows no firewall
marks: their services get nothing.

Exit status: 0 done, 1 a file cannot be used, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("replay", around, async () => {
    const { values, positionals } = readArguments(args, OPTIONS);
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0 || values.config === undefined) {
      throw new UsageError("expected a capture, and --config with a sluice.yaml");
    }
    const schedulers = schedulersOf(values.scheduler);
    const state = await stateOf(values.config, around);
    const packets = state && (await packetsOf(file, around));
    if (state === undefined || packets === undefined) return EXIT.failed;
    const spreads = schedulers.map((scheduler) => replay(state, packets, scheduler));
    await around.write(
      values.json
        ? `${JSON.stringify({ packets: packets.length, spreads }, undefined, 2)}\n`
        : replayPage(spreads, packets.length),
    );
    return EXIT.done;
  });
}

async function stateOf(file: string, { environment, complain }: Around) {
  try {
    return reconcile(EMPTY_STATE, (await loadConfiguration(file, environment)).wanted);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const problem of error.problems) complain(`${formatProblem(problem)}\n`);
    return undefined;
  }
}

async function packetsOf(
  file: string,
  { complain }: Around,
): Promise<readonly RecordedPacket[] | undefined> {
  try {
    return recordedPackets(await readFile(file));
  } catch (error) {
    const isTold =
      error instanceof CaptureError || (error as NodeJS.ErrnoException).code !== undefined;
    if (!isTold) throw error;
    complain(`sluice replay: ${file}: ${(error as Error).message}\n`);
    return undefined;
  }
}

function schedulersOf(text: string | undefined): readonly (SchedulerName | undefined)[] {
  if (text === undefined) return [undefined];
  return text.split(",").map((name) => {
    if (Object.hasOwn(SCHEDULERS, name)) return name as SchedulerName;
    throw new UsageError(
      `--scheduler ${name}: expected some of ${Object.keys(SCHEDULERS).join(", ")}`,
    );
  });
}

const OPTIONS = {
  config: { type: "string" },
  scheduler: { type: "string" },
  json: FLAG,
} as const;
