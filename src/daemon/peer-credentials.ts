/** Who is at the other end of a unix socket: SO_PEERCRED and SO_PEERGROUPS of unix(7), socket(7). */
import type { Peer } from "../api/peer.ts";
import { getOption, SystemCallError } from "../engine/host/system/libc.ts";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;

/** struct ucred: three words. */
const CREDENTIALS_LENGTH = 12;
const wordAt = { uid: 1, gid: 2 } as const;

/** NGROUPS_MAX: no process has more. */
const GROUPS_MAX = 65_536;
const FEW = 64;

/** Throws a SystemCallError when the connection is gone. */
export function peerOf(fd: number): Peer {
  const bytes = new Uint8Array(CREDENTIALS_LENGTH);
  getOption(fd, SOL_SOCKET, SO_PEERCRED, bytes, "ask who commands");
  const words = new Uint32Array(bytes.buffer);
  return { uid: words[wordAt.uid]!, gids: [words[wordAt.gid]!, ...groupsOf(fd)] };
}

function groupsOf(fd: number): Iterable<number> {
  for (const most of [FEW, GROUPS_MAX]) {
    const groups = new Uint32Array(most);
    const bytes = new Uint8Array(groups.buffer);
    try {
      const length = getOption(fd, SOL_SOCKET, SO_PEERGROUPS, bytes, "ask for groups");
      return groups.subarray(0, length / groups.BYTES_PER_ELEMENT);
    } catch (error) {
      const isTooShort = error instanceof SystemCallError && error.code === "ERANGE";
      if (!isTooShort) break;
    }
  }
  return [];
}
