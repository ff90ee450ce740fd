/**
 * Reads a configuration in a process of its own: YAML of thousands of services takes seconds, and packets would wait. The
 * child is this very program, as `sluice check --json --lines --daemon FILE`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { Pauses } from "../base/pauses.ts";
import type { DaemonSettings } from "../configuration/daemon-settings.ts";
import { ConfigurationError, type ConfigurationProblem } from "../configuration/problem.ts";
import {
  type WireWantedService,
  type WireWantedSettings,
  wantedServiceFromWire,
  wantedSettingsFromWire,
} from "../control/wanted-wire.ts";
import type { WantedService, WantedState } from "../ipvs/desired/wanted.ts";

export interface ReadConfiguration {
  readonly wanted: WantedState;
  readonly daemon: DaemonSettings;
}

/** Rejects with a ConfigurationError when the file is not right. */
export async function readByChild(path: string): Promise<ReadConfiguration> {
  const words = ["check", "--json", "--lines", "--daemon", "--", path];
  const program = [...process.execArgv, process.argv[1] ?? ""];
  const child = spawn(process.execPath, [...program, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [[code], said, complaint] = await Promise.all([
    once(child, "close") as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  if (code !== 0) throw new ConfigurationError(problemsIn(said) ?? [unreadable(path, complaint)]);
  const [daemon, settings, ...lines] = said.trimEnd().split("\n");
  const pauses = new Pauses();
  const services: WantedService[] = [];
  for (const line of lines) {
    await pauses.ifDue();
    services.push(wantedServiceFromWire(JSON.parse(line) as WireWantedService));
  }
  const wanted = wantedSettingsFromWire(JSON.parse(settings!) as WireWantedSettings);
  return { wanted: { ...wanted, services }, daemon: JSON.parse(daemon!) as DaemonSettings };
}

/** Undefined when the child ended for another reason than a mistake in the file. */
function problemsIn(said: string): readonly ConfigurationProblem[] | undefined {
  try {
    return (JSON.parse(said) as { readonly problems: readonly ConfigurationProblem[] }).problems;
  } catch {
    return undefined;
  }
}

function unreadable(file: string, complaint: string): ConfigurationProblem {
  const why = complaint.trim().split("\n").at(-1) || "it was killed";
  const message = `the process that reads it failed: ${why}`;
  return { file, line: undefined, column: undefined, path: "", message };
}
