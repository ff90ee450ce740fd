/** The learner's own machine: this one, in the checkout, but for /run, so that nobody else's laboratory is met. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { firstLine, runLine } from "../../src/lab/network/host.ts";

const CHECKOUT = resolve(import.meta.dirname, "../..");
const HOLD = "mount -t tmpfs tmpfs /run && mkdir /run/lock && echo $$ && exec sleep infinity";
const LINE_TIMEOUT_MS = 60_000;

export interface OwnMachine {
  run(line: string): Promise<{ readonly status: number; readonly output: string }>;
  close(): void;
}

export async function openOwnMachine(): Promise<OwnMachine> {
  const holder = spawn("unshare", ["--mount", "sh", "-c", HOLD], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pid = await firstLine(holder);
  return {
    run: async (line) => {
      const enter = ["--target", pid, "--mount", `--wdns=${CHECKOUT}`, "--"];
      const { code, output } = await runLine(
        ["nsenter", ...enter, "sh", "-c", line],
        LINE_TIMEOUT_MS,
        { ...process.env, NO_COLOR: "1", LC_ALL: "C" },
      );
      return { status: code, output };
    },
    close: () => holder.kill("SIGKILL"),
  };
}
