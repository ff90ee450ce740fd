/** What the commands share that read a configuration file. */

import type { Configuration as Wire } from "../../api/client.ts";
import { type Configuration, loadConfiguration } from "../../configuration/load.ts";
import { ConfigurationError, formatProblem } from "../../configuration/problem.ts";
import { wantedServiceToWire, wantedSettingsToWire } from "../../control/wanted-wire.ts";
import { readFlags } from "../arguments.ts";
import { type Around, EXIT, type ExitCode, UsageError } from "../question.ts";

export const SEE_ALSO = `docs/configuration.md has every key. \${NAME} in the file is the environment's variable.`;

/** What a command gets: the flags that it has, and what its file says. */
export interface Read<Flag extends string> {
  readonly file: string;
  readonly flags: Readonly<Record<Flag | "json", boolean>>;
  readonly configuration: Configuration;
}

export interface Command<Flag extends string> {
  readonly args: readonly string[];
  /** Besides `--json` and `--help`. */
  readonly flags: readonly Flag[];
  readonly help: string;
  readonly around: Around;
}

/**
 * Does `work` with the file that `args` name. Prints `help` instead when that is asked for, and what is wrong with the file
 * when something is. Throws a UsageError about wrong arguments.
 */
export async function withConfiguration<Flag extends string>(
  { args, flags, help, around }: Command<Flag>,
  work: (read: Read<Flag>) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { flags: values, words } = readFlags(args, ["json", ...flags]);
  if (values.help) {
    await around.write(help);
    return EXIT.done;
  }
  const [file, ...more] = words;
  if (file === undefined) throw new UsageError("expected a file such as sluice.yaml");
  if (more.length > 0) throw new UsageError(`expected one file, got ${words.join(" ")}`);
  const configuration = await readConfiguration(file, around, values.json);
  if (configuration === undefined) return EXIT.failed;
  return await work({ file, flags: values, configuration });
}

/** What the file says; undefined when it is not right: then all that is wrong was told, a line each. */
export async function readConfiguration(
  file: string,
  { environment, write, complain }: Around,
  isJson: boolean,
): Promise<Configuration | undefined> {
  try {
    return await loadConfiguration(file, environment);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { problems } = error;
    if (isJson) await write(`${JSON.stringify({ problems }, undefined, 2)}\n`);
    else for (const problem of problems) complain(`${formatProblem(problem)}\n`);
    return undefined;
  }
}

export function toWire({ wanted }: Configuration, { keepsOthers }: { keepsOthers: boolean }): Wire {
  return {
    settings: wantedSettingsToWire({
      ...wanted,
      keepsOthers: keepsOthers || wanted.keepsOthers,
    }),
    services: wanted.services.map(wantedServiceToWire),
  };
}
