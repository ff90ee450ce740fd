/** Serves the API on a unix socket, to those who may command the load balancer. */
import { lstatSync } from "node:fs";
import { lchown, lstat, unlink } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createConnection, type Socket } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import { prepareFolder } from "../control/folder.ts";
import { type Right, refusalOf } from "./access.ts";
import type { CallerBindings } from "./caller.ts";
import { Client } from "./client.ts";
import { limitConnections, TIMEOUTS } from "./limits.ts";
import { type Peer, rightOf } from "./peer.ts";
import { Turns } from "./turns.ts";

/** All but the daemon's user and group are kept out by the file system; which of them may command, peer.ts says. */
const UMASK = 0o117;
/** The one group that a file has is that of those who command: who may look is kept out by no mode. */
const OPEN_UMASK = 0o111;

/** How long another daemon may take to tell its pid. */
const PATIENCE_MS = 1_000;

/** The socket cannot be had; the message says why, and what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

export interface Listening extends AsyncDisposable {
  readonly path: string;
}

export interface ListenOptions {
  /** Who is at the other end of a connection, by its descriptor: SO_PEERCRED. */
  readonly peerOf: (fd: number) => Peer;
  /** Callers are turned away; says which, and why. */
  readonly onTrouble?: (message: string) => void;
  /** Whose members may command, too; undefined: the socket has the daemon's own group. */
  readonly gid?: number | undefined;
  /** Whose members may look. The socket is then open to everybody, and who is at its other end decides. */
  readonly readers?: number | undefined;
}

/**
 * Takes over a socket that nobody answers on; refuses one that somebody does, and whatever else lies there. Disposing
 * removes it. Calls wait until there is an app to answer them.
 */
export async function listen(
  app: Hono | Promise<Hono>,
  path: string,
  { peerOf, gid, readers, onTrouble = () => {} }: ListenOptions,
): Promise<Listening> {
  await prepareFolder(path, "--socket");
  await clear(path);
  const callers = new WeakMap<Socket, SocketCaller>();
  const whoMay = whoMayOn(path, readers !== undefined);
  const turns = new Turns();
  const fetch = async (request: Request, env: object): Promise<Response> => {
    const { incoming } = env as HttpBindings;
    await turns.take();
    const caller = callers.get(incoming.socket);
    const refused = refusalOf(request, caller?.right, whoMay);
    if (refused !== undefined) return refused;
    return (await app).fetch(request, { ...env, peer: caller?.peer } satisfies CallerBindings);
  };
  const server = createServer(TIMEOUTS, answering(fetch));
  server.on("connection", (socket) => {
    const caller = callerOn(socket, path, peerOf, readers);
    if (caller !== undefined) callers.set(socket, caller);
  });
  await bind(server, path, readers === undefined ? UMASK : OPEN_UMASK);
  limitConnections(server, onTrouble);
  if (gid !== undefined) await giveTo(gid, path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Loads what turns calls into requests with the first call: the socket need not wait for it. */
function answering(fetch: (request: Request, env: object) => Promise<Response>) {
  let listener: Promise<Listener> | undefined;
  return (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    listener ??= import("@hono/node-server").then(({ getRequestListener }) =>
      getRequestListener((request, env) => fetch(request, env)),
    );
    listener.then((answer) => answer(incoming, outgoing)).catch(() => outgoing.destroy());
  };
}

type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

async function clear(path: string): Promise<void> {
  let before: Awaited<ReturnType<typeof lstat>>;
  try {
    before = await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw unusable(path, error);
  }
  if (!before.isSocket()) {
    throw new ListenError(
      `--socket ${path}: there is ${kindOf(before)}, which stays: choose another path, or remove it yourself`,
    );
  }
  const code = await answerOf(path);
  if (code === "connected") {
    const pid = await pidOn(path);
    throw new ListenError(
      `Cannot listen on ${path}: a daemon already answers there${pid === undefined ? "" : ` (process ${pid})`}; end it first, or give this one, if it is for another network namespace, paths of its own: --socket PATH --state PATH`,
    );
  }
  if (code === "ENOENT") return;
  if (code !== "ECONNREFUSED") {
    throw new ListenError(
      `--socket ${path}: there is a socket that seems to be somebody's (${code}): choose another path, or remove it yourself`,
    );
  }
  const now = await lstat(path).catch(() => undefined);
  if (now?.ino === before.ino && now.dev === before.dev) await unlink(path);
}

/** The socket is never more open than it shall be: bind(2) makes it by the umask. */
function bind(server: Server, path: string, umask: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(unusable(path, error)));
    const before = process.umask(umask);
    try {
      // Binds before it returns.
      server.listen(path, resolve);
    } finally {
      process.umask(before);
    }
  });
}

async function giveTo(gid: number, path: string): Promise<void> {
  try {
    await lchown(path, process.geteuid!(), gid);
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): ListenError {
  return new ListenError(`--socket ${path} cannot be used: ${(error as Error).message}`, {
    cause: error,
  });
}

function kindOf(file: Awaited<ReturnType<typeof lstat>>): string {
  if (file.isDirectory()) return "a folder";
  if (file.isSymbolicLink()) return "a symbolic link";
  return file.isFile() ? "a file" : "something that is no socket";
}

/** "connected", or why not. */
function answerOf(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve("connected");
    });
    socket.once("error", ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message));
  });
}

/** The process that answers, if it is a daemon and willing. */
async function pidOn(path: string): Promise<number | undefined> {
  const client = new Client(path);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, PATIENCE_MS, undefined);
  try {
    const asked = client.call("info", {}, undefined).then(({ pid }) => pid);
    return await Promise.race([asked, promise]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    client.close();
  }
}

interface SocketCaller {
  readonly peer: Peer;
  readonly right: Right;
}

/** Undefined: it may nothing. The group may change while the daemon runs (chgrp). */
function callerOn(
  socket: Socket,
  path: string,
  peerOf: ListenOptions["peerOf"],
  readers: number | undefined,
): SocketCaller | undefined {
  try {
    // No API of Node's tells the descriptor.
    const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
    const peer = peerOf(fd);
    const owner = { uid: process.geteuid!(), gid: lstatSync(path).gid };
    const right = rightOf(peer, owner, readers);
    return right && { peer, right };
  } catch {
    // Gone already, or the socket's name is.
    return undefined;
  }
}

function whoMayOn(path: string, hasReaders: boolean): Readonly<Record<Right, string>> {
  const write = `root, the daemon's own user and members of the group of ${path}`;
  return {
    write: hasReaders ? write : `${write} (the group root does not count)`,
    read: hasReaders
      ? `${write}, and of its --read-group,`
      : `${write} (the group root does not count)`,
  };
}
