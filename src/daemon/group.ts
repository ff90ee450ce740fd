/**
 * Names of groups, as the system knows them: getent(1), which asks whatever nsswitch.conf(5) names. In a process of its
 * own, because modules of the name service are strangers' code.
 */
import { spawnSync } from "node:child_process";

/** No group has that name or number, or the system does not tell. */
export class GroupError extends Error {
  override readonly name = "GroupError";
}

const GID_MAX = 0xffff_fffe;
/** A directory server that is away keeps the daemon from starting for so long. */
const PATIENCE_MS = 10_000;
/** Of getent(1): a key was not found. */
const NOT_FOUND = 2;

/** The number of the group that `text` names, or is, as `option` has it. Throws a GroupError. */
export function groupId(text: string, getent = "getent", option = "--socket-group"): number {
  const gid = /^\d+$/.test(text) ? Number(text) : lookUp(text, getent, option);
  if (gid === 0) throw new GroupError(`${option}: the group root does not count: name another`);
  if (gid <= GID_MAX) return gid;
  throw new GroupError(
    `${option} ${text}: no group can have this number: expected one from 1 to ${GID_MAX}`,
  );
}

function lookUp(name: string, getent: string, option: string): number {
  const { status, stdout, stderr, error } = spawnSync(getent, ["group", "--", name], {
    encoding: "utf8",
    timeout: PATIENCE_MS,
  });
  if (status === NOT_FOUND) {
    throw new GroupError(
      `${option} ${name}: the system knows no such group (getent group ${name}): name another, or give a number`,
    );
  }
  if (error !== undefined) throw notTold(option, name, whyNotRun(error));
  if (status !== 0)
    throw notTold(
      option,
      name,
      `getent${stderr === "" ? ` ended with ${status}` : `: ${stderr.trim()}`}`,
    );
  const [line = ""] = stdout.split("\n");
  // group(5)
  const [, , gid = ""] = line.split(":");
  if (!/^\d+$/.test(gid)) throw notTold(option, name, `getent says ${JSON.stringify(line)}`);
  return Number(gid);
}

function whyNotRun({ code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "getent is not there";
  return code === "ETIMEDOUT" ? `getent took more than ${PATIENCE_MS / 1000} s` : message;
}

function notTold(option: string, name: string, why: string): GroupError {
  return new GroupError(
    `${option} ${name}: the group cannot be looked up: ${why}: give its number`,
  );
}
