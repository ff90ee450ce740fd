/** Names of groups: group(5). */
import { readFileSync } from "node:fs";

/** No group has that name or number. */
export class GroupError extends Error {
  override readonly name = "GroupError";
}

const GID_MAX = 0xffff_fffe;

/** The number of the group that `text` names, or is. Throws a GroupError. `groups` is the text of /etc/group. */
export function groupId(text: string, groups: string = readFileSync("/etc/group", "utf8")): number {
  if (/^\d+$/.test(text) && Number(text) <= GID_MAX) return mustNotBeRoot(Number(text));
  for (const line of groups.split("\n")) {
    const [name, , gid] = line.split(":");
    if (name === text && gid !== undefined) return mustNotBeRoot(Number(gid));
  }
  throw new GroupError(
    `--socket-group ${text}: /etc/group has no such group: name one that it has, or a number`,
  );
}

function mustNotBeRoot(gid: number): number {
  if (gid !== 0) return gid;
  throw new GroupError("--socket-group: the group root does not count: name another");
}
