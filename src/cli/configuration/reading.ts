/** What the commands share that read a configuration file. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import type { Configuration as Wire } from "../../api/client.ts";
import { type Configuration, loadConfiguration } from "../../configuration/load.ts";
import { ConfigurationError, formatProblem } from "../../configuration/problem.ts";
import { wantedServiceToWire, wantedSettingsToWire } from "../../control/wanted-wire.ts";
import { type Around, toUsageError, UsageError } from "../question.ts";

export const SEE_ALSO = `docs/configuration.md has every key. \${NAME} in the file is the environment's variable.`;

export const FLAG = { type: "boolean", default: false } as const;

/** The flags of a command that takes one file, and the file: undefined with --help. */
export function parseFileArgs<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
) {
  const { values, positionals } = parse(args, options);
  const [file, ...more] = positionals;
  if ("help" in values && values.help === true) return { values, file: undefined };
  if (file === undefined) throw new UsageError("expected a file such as sluice.yaml");
  if (more.length > 0) throw new UsageError(`expected one file, got ${positionals.join(" ")}`);
  return { values, file };
}

function parse<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...options, help: { ...FLAG, short: "h" } },
    });
  } catch (error) {
    throw toUsageError(error);
  }
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
