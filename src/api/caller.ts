/** Who calls, as far as the API knows. */
import type { Context } from "hono";
import type { Author } from "../control/author.ts";
import { COMMAND_HEADER } from "./command-header.ts";
import type { Peer } from "./peer.ts";

/** What a request brings besides itself: listen.ts puts it there. */
export interface CallerBindings {
  /** Over the unix socket. */
  readonly peer?: Peer | undefined;
  /** Over TCP: the token's. */
  readonly tokenName?: string | undefined;
}

const COMMAND = /^[ -~]{1,100}$/;

/** Whom a change is by. `userName` knows what users are called. */
export function authorOf(context: Context, userName: (uid: number) => string): Author {
  const { peer, tokenName } = (context.env ?? {}) as CallerBindings;
  const said = context.req.header(COMMAND_HEADER) ?? "";
  const command = COMMAND.test(said) ? said : null;
  if (tokenName !== undefined) return { uid: null, name: `token ${tokenName}`, command };
  if (peer === undefined) return { uid: null, name: "somebody", command };
  return { uid: peer.uid, name: userName(peer.uid), command };
}
