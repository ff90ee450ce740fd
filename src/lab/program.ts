/** How to run this very program again, on another host or in another namespace. */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The line that runs `sluice <words>` with the same Node and the same sources. */
export function programLine(...words: readonly string[]): string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? "", ...words];
}

/** Where `ipvsadm` and `sluice` are: beside src/ in a checkout, beside dist/ in a package. */
const COMMANDS = resolve(dirname(fileURLToPath(import.meta.url)), "../../bin");

/** Where a host has commands that only a laboratory's hosts have; every host has a /run of its own. */
export const HOST_COMMANDS = "/run/lab";

/** For shells on the hosts: our commands come first; users other than root often lack the sbin directories. */
export function hostEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = environment.PATH ?? "/usr/bin:/bin";
  return {
    ...environment,
    PATH: `${HOST_COMMANDS}:${COMMANDS}:${path}:/usr/sbin:/sbin`,
    SLUICE_SOCKET: "/run/sluice/sluice.sock",
    LC_ALL: "C",
  };
}
