/**
 * How many callers the API has at once, and for how long it waits for one: descriptors are the packets' first.
 *
 * node:http closes what is silent: "408 Request Timeout".
 */
import { readFileSync } from "node:fs";
import type { Server, ServerOptions } from "node:http";

/** Commands come one by one, programs and listings a few at a time. */
const CONNECTIONS_MAX = 1_000;
/** Where descriptors are few, this part of them. */
const SHARE_OF_DESCRIPTORS = 0.25;

/** Who neither sends nor takes anything for so long is let go, also in the middle of an answer; events have a heartbeat. */
const SILENCE_MS = 120_000;

/** For node:http's createServer(). A request's head comes at once; its body, below 64 KiB, soon after. */
export const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
} as const satisfies ServerOptions;

/** `onTrouble` is told once that callers are turned away, and once of each kind of failure to accept them. */
export function limitConnections(server: Server, onTrouble: (message: string) => void): void {
  server.maxConnections = connectionsMax(readLimits());
  server.timeout = SILENCE_MS;
  const told = new Set<string>();
  const tell = (message: string): void => {
    if (told.has(message)) return;
    told.add(message);
    onTrouble(message);
  };
  server.on("drop", () =>
    tell(`the API has ${server.maxConnections} connections already: further ones are closed`),
  );
  // Of accept(2): EMFILE, ENFILE, ENOBUFS, ENOMEM. The caller is gone, the next one may do better.
  server.on("error", (error) => tell(`the API cannot take a connection: ${error.message}`));
}

/** From the text of /proc/self/limits. */
export function connectionsMax(limits: string): number {
  const descriptors = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN);
  if (Number.isNaN(descriptors)) return CONNECTIONS_MAX;
  return Math.max(1, Math.min(CONNECTIONS_MAX, Math.floor(descriptors * SHARE_OF_DESCRIPTORS)));
}

function readLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "latin1");
  } catch {
    return "";
  }
}
