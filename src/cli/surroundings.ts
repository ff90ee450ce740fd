/** The process that a command runs in. */
import { once } from "node:events";
import { SystemNames } from "./ipvsadm/names.ts";
import type { Surroundings } from "./ipvsadm/run.ts";

export function processSurroundings(): Surroundings {
  // A reader that has seen enough (`ipvsadm -lnc | head`) is no failure of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  return {
    environment: process.env,
    names: new SystemNames(),
    stdin: process.stdin,
    isTerminal: process.stdout.isTTY,
    write: async (text) => {
      if (!process.stdout.write(text)) await once(process.stdout, "drain");
    },
    complain: (text) => {
      process.stderr.write(text);
    },
  };
}
