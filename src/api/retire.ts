/** The end of a listener while the daemon goes on: who is being answered gets the answer. */
import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";

/** For streams, which have no end. */
const PATIENCE_MS = 10_000;
/** Connections that wait for a further question are closed after so long. */
const IDLE_MS = 200;

/** From now on nobody connects; resolves when the last one is gone. */
export function retire(server: Server | SecureServer): Promise<void> {
  const gone = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS);
  const patience = setTimeout(() => server.closeAllConnections(), PATIENCE_MS);
  for (const timer of [idle, patience]) timer.unref();
  return gone.finally(() => {
    clearInterval(idle);
    clearTimeout(patience);
  });
}
