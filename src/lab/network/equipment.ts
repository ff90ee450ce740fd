/** What a laboratory's steps work with beside shell commands: servers that stay, and the wires. */
import type { LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";
import type { RunOptions } from "../options.ts";
import { programLine } from "../program.ts";
import { Decapsulators } from "./decapsulators.ts";
import { Director } from "./director.ts";
import { firstLine } from "./host.ts";
import type { Hosts } from "./hosts.ts";
import type { HostName, LabPlan, RealServerPlan } from "./plan.ts";
import type { Wire } from "./taps.ts";

export interface Equipment {
  readonly plan: LabPlan;
  readonly options: RunOptions;
  readonly wire: Wire;
  readonly startWebServer: (server: RealServerPlan) => Promise<void>;
  /** The process of the web server that was started last on a host. */
  readonly webServerPid: (host: HostName) => number;
  /** What takes tunnels apart on the real servers. */
  readonly decapsulators: Pick<Decapsulators, "start" | "stop" | "endings">;
  /** With a configuration it is started again whenever something ends it, as a service manager would. */
  readonly startDirector: () => Promise<void>;
  readonly directorPid: () => number;
  /** The exit code of the director's daemon after SIGTERM. */
  readonly stopDirector: () => Promise<number | null>;
}

export function equip(
  plan: LabPlan,
  options: RunOptions,
  hosts: Hosts,
  wire: Wire,
  emit: (event: LabEvent) => void,
): Equipment {
  const director = new Director(hosts, plan, options, emit);
  const webServers = new Map<HostName, number>();
  return {
    plan,
    options,
    wire,
    startWebServer: async ({ host, rip }) => {
      const words = ["lab", "@real-server", rip, `${plan.realPort}`];
      const child = hosts[host].start(programLine(...words));
      webServers.set(host, child.pid!);
      const output = await firstLine(child).catch((error) => {
        throw new LabFailure(`${host}'s web server does not start: ${error.message}`);
      });
      emit({ kind: "command", host, command: `sluice ${words.join(" ")} &`, output });
    },
    webServerPid: (host) => webServers.get(host)!,
    decapsulators: new Decapsulators(plan, hosts, emit),
    startDirector: () => director.start(),
    directorPid: () => director.pid,
    stopDirector: () => director.stop(),
  };
}
