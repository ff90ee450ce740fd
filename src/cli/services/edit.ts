/** `sluice edit`: what stands, in an editor, and what came of it put in force. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, Configuration as Wire } from "../../api/client.ts";
import { formatServiceId } from "../../api/ids.ts";
import { loadConfiguration } from "../../configuration/load.ts";
import { ConfigurationError, formatProblem } from "../../configuration/problem.ts";
import { writeConfiguration } from "../../configuration/write.ts";
import { wantedServiceToWire, wantedSettingsToWire } from "../../control/wanted-wire.ts";
import { keyToWire } from "../../control/wire.ts";
import type { WantedState } from "../../ipvs/desired/wanted.ts";
import { readFlags } from "../arguments.ts";
import { namedChanges, renderPlan } from "../configuration/changes.ts";
import { pickService } from "../pick-servers.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { contentStanding, standing } from "./words.ts";

const HELP = `Usage: sluice edit [--dry-run] [SERVICE]

Opens what stands as a sluice.yaml, all of it or one service, in $VISUAL, $EDITOR or vi. When the editor ends, the text is
checked, what it changes is printed, and it is put in force: all of it or nothing. It is refused when somebody else changed
anything meanwhile. A text that is not put in force is kept, and said where. The file that was applied stays as it is:
sluice status then shows the drift.

      --dry-run   changes nothing, and prints what it would change
  -h, --help      this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, or nothing was edited; 1 it was not put in force, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("edit", around, async (client) => {
    const { flags, words } = readFlags(args, ["dry-run"]);
    if (flags.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    if (words.length > 1) throw new UsageError(`expected one service, got ${words.join(" ")}`);
    const id = await idOf(client, words[0]);
    // First, so that what is changed while we read is found out, too.
    const { generation } = await client.call("info", {}, undefined);
    const before = writeConfiguration(await contentStanding(client, id), commentOn(id));
    const folder = await mkdtemp(join(tmpdir(), "sluice-edit-"));
    const file = join(folder, "sluice.yaml");
    await writeFile(file, before, { mode: 0o600 });
    let isDone = false;
    try {
      await openEditor(file, around.environment);
      if ((await readFile(file, "utf8")) === before) {
        await around.write("Nothing was edited.\n");
        isDone = true;
        return EXIT.done;
      }
      const wanted = await readBack(file, id, around);
      if (wanted === undefined) return EXIT.failed;
      await put(client, wanted, flags["dry-run"] ? undefined : generation, around);
      isDone = true;
      return EXIT.done;
    } finally {
      if (isDone) await rm(folder, { recursive: true, force: true });
      else around.complain(`sluice edit: nothing was changed; the text is in ${file}\n`);
    }
  });
}

async function idOf(client: Client, word: string | undefined): Promise<string | undefined> {
  if (word === undefined) return undefined;
  const { services, names } = await standing(client);
  return formatServiceId(pickService(word, services, names).key);
}

function commentOn(id: string | undefined): readonly string[] {
  return [
    id === undefined
      ? "All that stands. What you take out goes."
      : `${id}, as it stands. A weight that you take out stays as it is.`,
    "Ended without a change, nothing happens. docs/configuration.md has every key.",
  ];
}

async function openEditor(file: string, environment: Around["environment"]): Promise<void> {
  const editor = environment.VISUAL || environment.EDITOR || "vi";
  // As git does: the variable may have arguments of its own.
  const child = spawn("/bin/sh", ["-c", `${editor} "$@"`, editor, file], { stdio: "inherit" });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new UsageError(`the editor '${editor}' failed`);
}

/** Undefined when the text is not right: then all that is wrong was told. */
async function readBack(
  file: string,
  id: string | undefined,
  around: Around,
): Promise<Wire | undefined> {
  let wanted: WantedState;
  try {
    ({ wanted } = await loadConfiguration(file, around.environment));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const problem of error.problems) around.complain(`${formatProblem(problem)}\n`);
    return undefined;
  }
  const ids = wanted.services.map(({ spec }) => formatServiceId(keyToWire(spec.key)));
  if (id !== undefined && (ids.length !== 1 || ids[0] !== id)) {
    around.complain(
      `sluice edit: expected ${id} alone, got ${ids.join(", ") || "no service"}: what a service is known by stays\n`,
    );
    return undefined;
  }
  // It is no file that anybody keeps.
  const { file: _, ...settings } = wanted;
  return {
    settings: wantedSettingsToWire({ ...settings, keepsOthers: id !== undefined }),
    services: wanted.services.map(wantedServiceToWire),
  };
}

/** `generation` undefined: only what it would change. */
async function put(
  client: Client,
  wanted: Wire,
  generation: number | undefined,
  around: Around,
): Promise<void> {
  const isDone = generation !== undefined;
  const told = await client.configure(isDone ? "apply" : "plan", wanted, generation);
  const changes = namedChanges(told, new Map());
  await around.write(renderPlan(changes, { isJson: false, isDone }));
}
