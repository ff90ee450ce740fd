/** The stage that steps act on: real commands on real hosts, each told to the outside. */
import type { LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";
import type { Host } from "../network/host.ts";
import type { HostName } from "../network/plan.ts";
import type { Stage } from "./scenario.ts";

/** The shell's code for a command that is not installed. */
const NOT_FOUND = 127;

/** What a stage asks of hosts. */
type Runners = Readonly<Record<HostName, Pick<Host, "run">>>;

export function stageOn(hosts: Runners, emit: (event: LabEvent) => void): Stage {
  const attempt: Stage["attempt"] = async (host, command, limits = {}) => {
    const result = await hosts[host].run(command, limits);
    if (limits.isQuiet !== true) {
      emit({ kind: "command", host, command, output: result.output });
    }
    return result;
  };
  return {
    attempt,
    run: async (host, command, limits) => {
      const result = await attempt(host, command, limits);
      if (result.code === 0) return result;
      const said = result.output.trim() || "it said nothing";
      const advice = result.code === NOT_FOUND ? ". 'npm run lab' installs what is missing" : "";
      throw new LabFailure(
        `${host}: '${command}' ended with code ${result.code}: ${said}${advice}`,
      );
    },
    progress: (text) => emit({ kind: "progress", text }),
  };
}
