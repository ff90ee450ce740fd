/** A host of the laboratory: network, host name and mounts of its own, held by a process that only sleeps. */
import { type ChildProcess, spawn } from "node:child_process";
import type { HostName } from "./plan.ts";

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  /** What a terminal would have shown. */
  readonly output: string;
}

export interface RunLimits {
  /** After it the command is killed and its code is 124, as timeout(1) has it. */
  readonly timeoutMs?: number;
  /** Not shown to the reader. */
  readonly isQuiet?: boolean;
}

const COMMAND_TIMEOUT_MS = 15_000;
const OUTPUT_CHARACTERS_MAX = 1_000_000;
const TIMED_OUT = 124;

/**
 * Makes the host's own world, tells the process id as /proc counts it (which may be another process namespace's
 * counting), and stays. sysfs shows the network cards of the one who mounted it; bpffs is for a director that pins.
 */
const HOLD = `
hostname "$1" 2>/dev/null
mount -t sysfs sysfs /sys 2>/dev/null && mount -t bpf bpf /sys/fs/bpf 2>/dev/null
mount -t tmpfs -o mode=0755 tmpfs /run || exit 1
read -r pid rest </proc/self/stat
echo "$pid"
exec sleep infinity
`;

export class Host {
  readonly name: HostName;
  /** As /proc counts. */
  readonly pid: number;

  private constructor(name: HostName, pid: number) {
    this.name = name;
    this.pid = pid;
  }

  static async create(name: HostName): Promise<Host> {
    const holder = spawn(
      "unshare",
      ["--net", "--uts", "--mount", "--", "sh", "-c", HOLD, "sh", name],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const line = await firstLine(holder);
    const pid = Number(line);
    if (!Number.isInteger(pid) || pid <= 0) throw new Error(`${name} has no process: '${line}'`);
    return new Host(name, pid);
  }

  get networkNamespace(): string {
    return `/proc/${this.pid}/ns/net`;
  }

  /** Runs a shell command on this host; never throws for what the command does. */
  run(command: string, { timeoutMs = COMMAND_TIMEOUT_MS }: RunLimits = {}): Promise<CommandResult> {
    return runLine(this.enter("sh", "-c", command), timeoutMs);
  }

  /** Starts a program that stays. The laboratory's end ends it. */
  start(argv: readonly string[]): ChildProcess {
    const [file, ...args] = this.enter(...argv);
    return spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  }

  private enter(...argv: readonly string[]): [string, ...string[]] {
    return enterHost(this.pid, argv);
  }
}

/** The command line that runs `argv` on the host that the process `pid` holds. */
export function enterHost(pid: number, argv: readonly string[]): [string, ...string[]] {
  return ["nsenter", "--target", `${pid}`, "--mount", "--uts", "--net", "--", ...argv];
}

/** The first line that a process writes, or a rejection with what it complained of when it ends before. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-OUTPUT_CHARACTERS_MAX);
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      if (stdout.includes("\n")) return;
      stdout += chunk.toString();
      const end = stdout.indexOf("\n");
      if (end >= 0) resolve(stdout.slice(0, end));
    });
    child.once("error", reject);
    child.once("close", (code) => {
      reject(new Error(stderr.trim() || `${child.spawnfile} ended with code ${code}`));
    });
  });
}

/** Runs `argv` in a process group of its own, which is killed when its time is over. */
export function runLine(
  [file, ...args]: readonly [string, ...string[]],
  timeoutMs: number = COMMAND_TIMEOUT_MS,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CommandResult> {
  return collect(
    spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env }),
    timeoutMs,
  );
}

function collect(child: ChildProcess, timeoutMs: number): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let output = "";
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      // The whole group: the shell's children hold the pipes that "close" waits for.
      process.kill(-child.pid!, "SIGKILL");
    }, timeoutMs);
    child.stdout?.on("data", (chunk: Buffer) => {
      const text = chunk.toString();
      stdout = limited(stdout + text);
      output = limited(output + text);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      output = limited(output + chunk.toString());
    });
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code: isLate ? TIMED_OUT : (code ?? TIMED_OUT), stdout, output });
    });
  });
}

function limited(text: string): string {
  return text.slice(0, OUTPUT_CHARACTERS_MAX);
}
