/** Programs on the benchmark's hosts. */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { LabFailure } from "../src/lab/failure.ts";
import { firstLine, type Host } from "../src/lab/network/host.ts";

/** Tells the process id as /proc counts it, which may be another process namespace's counting. */
const ANNOUNCE = 'read -r pid rest </proc/self/stat; echo "$pid"; exec "$@"';

const READY_ATTEMPTS = 100;
const READY_POLL_MS = 100;
const COMPLAINT_CHARACTERS_MAX = 4_000;

/** Resolves when `isReady` succeeds on the host. */
export async function start(
  where: Host,
  argv: readonly string[],
  isReady: string,
): Promise<number> {
  const child = where.start(["sh", "-c", ANNOUNCE, "sh", ...argv]);
  let complaint = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-COMPLAINT_CHARACTERS_MAX);
    });
  }
  const pid = Number(await firstLine(child));
  for (let attempt = 0; attempt < READY_ATTEMPTS && child.exitCode === null; attempt++) {
    if ((await where.run(isReady)).code === 0) return pid;
    await delay(READY_POLL_MS);
  }
  throw new LabFailure(`${argv[0]} on ${where.name} does not answer: ${complaint.trim()}`);
}

export async function run(where: Host, command: string): Promise<void> {
  const { code, output } = await where.run(`set -e\n${command}`);
  if (code !== 0) throw new LabFailure(`${where.name} cannot be set up: ${output.trim()}`);
}

export async function stop(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  while (existsSync(`/proc/${pid}`)) await delay(READY_POLL_MS);
}
