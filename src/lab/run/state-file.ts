/** Where a kept laboratory is remembered, from the command that keeps it to the one that takes it down. */
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { LabFailure } from "../failure.ts";
import { HOST_NAMES, type HostName, PLANS, type ScenarioName } from "../network/plan.ts";

export interface KeptLab {
  readonly scenario: ScenarioName;
  /** The inside's process id, and when it started (clock ticks since boot): a number alone may be somebody else's. */
  readonly pid: number;
  readonly startTime: string;
  readonly inUserNamespace: boolean;
  /** As the inside's /proc counts them. */
  readonly hosts: Readonly<Record<HostName, number>>;
}

/** The file for this user: every user has one laboratory. */
export function stateFilePath(uid: number, environment: NodeJS.ProcessEnv): string {
  if (uid === 0) return "/run/sluice/lab.json";
  const runtime = environment.XDG_RUNTIME_DIR;
  const directory =
    runtime === undefined || runtime === "" ? `/tmp/sluice-${uid}` : join(runtime, "sluice");
  return join(directory, "lab.json");
}

/**
 * The laboratory that is kept, or undefined. What a laboratory that has ended left behind is cleaned away.
 * Throws when the file is not the user's own: whoever wrote it would choose the processes that we enter.
 */
export function readKept(path: string, uid: number): KeptLab | undefined {
  const text = readOwn(path, uid);
  if (text === undefined) return undefined;
  const kept = parseKept(text);
  if (kept !== undefined && startTimeOf(kept.pid) === kept.startTime) return kept;
  forgetKept(path);
  return undefined;
}

/** Throws when there is one already. */
export function writeKept(path: string, kept: KeptLab): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${JSON.stringify(kept)}\n`, { mode: 0o600, flag: "wx" });
}

export function forgetKept(path: string): void {
  rmSync(path, { force: true });
  try {
    rmdirSync(dirname(path));
  } catch {
    // A daemon has its socket in there, or nobody ever made it.
  }
}

/** When a process started, in clock ticks since boot, or undefined when it has ended: proc_pid_stat(5), fields 3, 22. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name is in parentheses and may contain anything, also spaces and parentheses.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended, but nobody has asked how.
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

export function parseKept(text: string): KeptLab | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { scenario, pid, startTime, inUserNamespace, hosts } = (value ?? {}) as Partial<KeptLab>;
  if (scenario === undefined || !Object.hasOwn(PLANS, scenario)) return undefined;
  if (!isProcessId(pid) || typeof startTime !== "string") return undefined;
  if (typeof inUserNamespace !== "boolean" || hosts === undefined || hosts === null)
    return undefined;
  if (!HOST_NAMES.every((name) => isProcessId(hosts[name]))) return undefined;
  return { scenario, pid, startTime, inUserNamespace, hosts };
}

function isProcessId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}

function readOwn(path: string, uid: number): string | undefined {
  try {
    const owners = [statSync(dirname(path)).uid, lstatSync(path).uid];
    const stranger = owners.find((owner) => owner !== uid);
    if (stranger !== undefined) {
      throw new LabFailure(`${path} belongs to user ${stranger}: it is not used. Remove it`);
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
