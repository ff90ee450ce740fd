/** Serves the API on a unix socket. */
import { chmod, mkdir, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";

/** Who may command the load balancer: the daemon's user and group. */
const SOCKET_MODE = 0o660;

/** Another daemon answers on the socket. */
class SocketInUseError extends Error {
  override readonly name = "SocketInUseError";
}

export interface Listening extends AsyncDisposable {
  readonly path: string;
}

/** Takes over a socket that nobody answers on; refuses one that somebody does. Disposing removes it. */
export async function listen(app: Hono, path: string): Promise<Listening> {
  if (await isAnswered(path)) {
    throw new SocketInUseError(`Cannot listen on ${path}: a daemon already answers there`);
  }
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
  await chmod(path, SOCKET_MODE);
  return {
    path,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
