/** Servers on the loopback interface for the checks' tests: they answer as a script says, and count whom they still have. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { ProbeTarget } from "../src/health/checker.ts";

const ADDRESS = "127.0.0.1";

export interface LoopbackServer extends AsyncDisposable {
  readonly target: ProbeTarget;
  /** Connections that are open. */
  readonly open: () => number;
  /** What all of them were sent. */
  readonly sentBytes: () => number;
}

export function serveTcp(onConnection: (socket: Socket) => void): Promise<LoopbackServer> {
  return serve(
    createServer((socket) => {
      // Only who reads learns that the other end has gone.
      socket.resume();
      onConnection(socket);
    }),
  );
}

/** Of any server that Node has: HTTP's, TLS's. */
export async function serve(server: Server): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  let goneBytes = 0;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      goneBytes += socket.bytesWritten;
      sockets.delete(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
  return {
    target: { address: ADDRESS, port: (server.address() as AddressInfo).port },
    open: () => sockets.size,
    sentBytes: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, goneBytes),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port where nobody listens: one that was just given back. */
export async function unusedPort(): Promise<ProbeTarget> {
  await using server = await serveTcp(() => {});
  return server.target;
}

export interface LoopbackUdp extends AsyncDisposable {
  readonly target: ProbeTarget;
}

export async function serveUdp(
  onMessage: (message: Buffer, from: RemoteInfo, socket: UdpSocket) => void,
): Promise<LoopbackUdp> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => onMessage(message, from, socket));
  await new Promise<void>((resolve) => socket.bind(0, ADDRESS, resolve));
  return {
    target: { address: ADDRESS, port: socket.address().port },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

/** Writes the same piece as long as the other end takes it. */
export function sendForEver(socket: Socket, piece: string | Buffer): void {
  const chunk = Buffer.concat(Array<Buffer>(64).fill(Buffer.from(piece)));
  const go = () => {
    while (!socket.destroyed && socket.write(chunk)) {
      // Until the kernel's buffers are full.
    }
  };
  socket.on("drain", go);
  go();
}

/** For servers whose answer comes at once. */
export function soon(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

/** For servers who never answer. */
export function impatient(): AbortSignal {
  return AbortSignal.timeout(250);
}
