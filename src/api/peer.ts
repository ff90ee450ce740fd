/** Who may command the load balancer. The kernel's IPVS asks for CAP_NET_ADMIN; a socket's peer shows its ids. */

import type { Right } from "./access.ts";

/** A process at the other end of a connection, in the ids of the daemon's user namespace. */
export interface Peer {
  readonly uid: number;
  /** Its own and the supplementary ones. */
  readonly gids: readonly number[];
}

/** The daemon's user, and the group of its socket. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const ROOT = 0;

/** What ids look like that have no name in a user namespace (user_namespaces(7), overflowuid): they say nothing. */
const UNMAPPED = 65_534;

/** `readers`: a group whose members may look; undefined: none may. */
export function rightOf(peer: Peer, owner: Owner, readers: number | undefined): Right | undefined {
  if (mayCommand(peer, owner)) return "write";
  if (readers === undefined || readers === ROOT || readers === UNMAPPED) return undefined;
  return peer.gids.includes(readers) ? "read" : undefined;
}

/**
 * Root, the daemon's own user, and members of the socket's group. Not of the group root: many a process without privileges
 * has that one.
 */
export function mayCommand({ uid, gids }: Peer, owner: Owner): boolean {
  if (uid === ROOT) return true;
  if (uid === owner.uid && uid !== UNMAPPED) return true;
  return owner.gid !== ROOT && owner.gid !== UNMAPPED && gids.includes(owner.gid);
}
