/** Namespaces for a laboratory: how a process gets them, and what to tell when it cannot. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { LabFailure } from "../failure.ts";
import { hostEnvironment } from "../program.ts";
import { LEASH } from "./leash.ts";

/** Marks every process of a laboratory, so that the outside can look for what remains. */
export const MARK = "SLUICE_LAB";

const NAMESPACES = ["--mount", "--net", "--uts", "--pid", "--fork", "--kill-child"];
const AS_ROOT_INSIDE = ["--user", "--map-root-user"];

/**
 * Tells the process id as the outside counts it, then has /proc count the laboratory's own processes (where the kernel
 * lets us: in some containers it does not, and all works with the outside's /proc too).
 */
const ENTER = `
read -r pid rest </proc/self/stat
echo "$pid"
mount -t proc proc /proc 2>/dev/null
exec "$@"
`;

/** Whether a user namespace is needed: true, false. Throws a LabFailure where the kernel allows neither. */
export function needsUserNamespace(isRoot: boolean): boolean {
  const attempts = isRoot ? [false, true] : [true];
  const complaints: string[] = [];
  for (const inUserNamespace of attempts) {
    // A user namespace may be granted and still be worth nothing (AppArmor's restriction): so it has to do something.
    const [file, ...args] = unshare(inUserNamespace, ["ip", "link", "set", "lo", "up"]);
    const { status, stderr, error } = spawnSync(file, args, {
      encoding: "utf8",
      env: hostEnvironment(process.env),
    });
    if (status === 0) return inUserNamespace;
    complaints.push(error?.message ?? stderr.trim());
  }
  throw new LabFailure(explain(isRoot, complaints.join("; ")));
}

/** Starts `inside`, a program of ours. Its first line is its process id, every other one an event. */
export function startInside(
  inUserNamespace: boolean,
  mark: string,
  inside: readonly string[],
): ChildProcess {
  const [file, ...args] = unshare(inUserNamespace, ["sh", "-c", ENTER, "sh", ...inside]);
  const stdio: ("ignore" | "pipe")[] = ["ignore", "pipe", "pipe"];
  stdio[LEASH] = "pipe";
  return spawn(file, args, {
    stdio,
    env: { ...hostEnvironment(process.env), [MARK]: mark },
    // Ctrl-C is for the outside to handle; a kept laboratory also outlives its terminal.
    detached: true,
  });
}

function unshare(inUserNamespace: boolean, argv: readonly string[]): [string, ...string[]] {
  return ["unshare", ...(inUserNamespace ? AS_ROOT_INSIDE : []), ...NAMESPACES, "--", ...argv];
}

/** What to do about each setting that forbids namespaces. */
// biome-ignore format: a table
const OBSTACLES = [
  { file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", value: "1", remedy: "sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
  { file: "/proc/sys/kernel/unprivileged_userns_clone",             value: "0", remedy: "sysctl kernel.unprivileged_userns_clone=1" },
  { file: "/proc/sys/user/max_user_namespaces",                     value: "0", remedy: "sysctl user.max_user_namespaces=10000" },
] as const;

function explain(isRoot: boolean, complaint: string): string {
  const remedies = OBSTACLES.filter(({ file, value }) => readSetting(file) === value).map(
    ({ remedy }) => `'${remedy}'`,
  );
  const said = `This machine grants no network namespaces here (${complaint || "no reason given"}).`;
  if (isRoot) return `${said} In a container, give it CAP_SYS_ADMIN and CAP_NET_ADMIN.`;
  if (remedies.length === 0) return `${said} Run the laboratory as root.`;
  return `${said} Run the laboratory as root, or have root allow it with ${remedies.join(" and ")}.`;
}

function readSetting(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    // A kernel without the setting has not the obstacle either.
    return undefined;
  }
}
