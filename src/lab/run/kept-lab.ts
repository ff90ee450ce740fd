/** A kept laboratory: a shell on one of its hosts, and its end. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { enterHost } from "../network/host.ts";
import type { HostName } from "../network/plan.ts";
import { hostEnvironment } from "../program.ts";
import { forgetKept, type KeptLab, startTimeOf } from "./state-file.ts";

/** Runs `command`, or an interactive shell, on a host; resolves to its exit code. */
export async function openShell(
  kept: KeptLab,
  host: HostName,
  command: readonly string[],
): Promise<number> {
  const shell = ["bash", "--noprofile", "--norc", "-i"];
  const [file, ...args] = enterKept(kept, host, command.length > 0 ? command : shell);
  const child = spawn(file, args, {
    stdio: "inherit",
    env: { ...hostEnvironment(process.env), PS1: `[root@${host} \\W]# ` },
  });
  // Ctrl-C is for what runs in the shell.
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  const [code] = (await once(child, "close")) as [number | null];
  process.off("SIGINT", ignore);
  return code ?? 1;
}

/** The command line that runs `argv` on a laboratory's host, from the outside. */
export function enterKept(
  { pid, inUserNamespace, hosts }: Pick<KeptLab, "pid" | "inUserNamespace" | "hosts">,
  host: HostName,
  argv: readonly string[],
): [string, ...string[]] {
  const user = inUserNamespace ? ["--user", "--preserve-credentials"] : [];
  const inside = ["--target", `${pid}`, ...user, "--mount", "--pid", "--net"];
  return ["nsenter", ...inside, "--", ...enterHost(hosts[host], argv)];
}

const END_TIMEOUT_MS = 10_000;
const END_POLL_MS = 50;

/** Ends a laboratory, and returns when all of it is gone. */
export async function takeDown(kept: KeptLab, path: string): Promise<void> {
  const isThere = (): boolean => startTimeOf(kept.pid) === kept.startTime;
  if (isThere()) process.kill(kept.pid, "SIGTERM");
  for (let waited = 0; isThere(); waited += END_POLL_MS) {
    if (waited === END_TIMEOUT_MS) process.kill(kept.pid, "SIGKILL");
    await delay(END_POLL_MS);
  }
  forgetKept(path);
}
