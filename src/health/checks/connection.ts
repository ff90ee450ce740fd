/**
 * The sockets of probes: the one place where they are made, so that each leaves as its target's `source` says.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ProbeSource, ProbeTarget } from "../checker.ts";
import { ProbeFailure, waitFor } from "./probe.ts";

/** A TCP connection to the target. The caller destroys it; its errors never end the process. */
export async function connectTcp(target: ProbeTarget, signal: AbortSignal): Promise<Socket> {
  const { address, port, source } = target;
  // A port of its own is needed again soon: SO_LINGER is for that, whoever ends the connection.
  const isPrepared = source?.mark !== undefined || source?.port !== undefined;
  const socket = isPrepared ? await preparedTcp(address, source) : new Socket();
  socket.on("error", () => {});
  try {
    await waitFor<void>(signal, "a connection", (resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
      socket.connect({
        host: address,
        port,
        ...(source?.address !== undefined && { localAddress: source.address }),
        ...(source?.port !== undefined && { localPort: source.port }),
      });
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * A UDP socket that hears the target alone, and what ICMP says of it: its "error" event (udp(7): connected sockets do).
 * The caller closes it.
 */
export async function connectUdp(target: ProbeTarget, signal: AbortSignal): Promise<UdpSocket> {
  const { address, port, source } = target;
  const fd = await preparedUdp(address, source);
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => {});
  try {
    await waitFor<void>(signal, "a socket", (resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", resolve);
      socket.bind({ fd }, () => socket.connect(port, address));
    });
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** What a UDP socket's error means: udp(7). */
export function datagramFault(error: NodeJS.ErrnoException): Error {
  return error.code === "ECONNREFUSED" ? new ProbeFailure("ICMP: port unreachable") : error;
}

/**
 * Ends a connection that nobody else has, whatever becomes of the probe: by a reset. A FIN would leave us in TIME_WAIT for
 * each probe, with a local port that the next one may need.
 */
export function owned(connection: Socket): Disposable {
  return {
    [Symbol.dispose]: () => {
      // One that is just being ended cannot be reset: uv_tcp_close_reset() refuses, and its descriptor would stay open.
      if (connection.writableEnded) connection.destroy();
      else connection.resetAndDestroy();
    },
  };
}

/** Ends a connection that HTTP or TLS uses, who may be ending it at the same moment: see `owned`. */
export function shared(connection: Socket): Disposable {
  return { [Symbol.dispose]: () => connection.destroy() };
}

/** How long a server may take for its last word. */
const LAST_WORD_MS = 100;

/** Waits for an event that should come, but that nothing depends on. */
export function lastWord(stream: Duplex, event: "end" | "session"): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LAST_WORD_MS);
    for (const each of [event, "close"]) {
      stream.once(each, () => {
        clearTimeout(timer);
        resolve();
      });
    }
    stream.resume();
  });
}

async function preparedTcp(address: string, source: ProbeSource): Promise<Socket> {
  const { preparedSocket, SOCK_STREAM } = await import("./prepared-socket.ts");
  const fd = preparedSocket(address, SOCK_STREAM, 0, source);
  // Reading from a socket that is not connected is an error: Node is not to begin with it.
  const options: { fd: number; manualStart: boolean } = { fd, manualStart: true };
  return new Socket(options);
}

async function preparedUdp(address: string, source: ProbeSource | undefined): Promise<number> {
  const { abandon, bindAddress, hearErrors, preparedSocket, SOCK_DGRAM } = await import(
    "./prepared-socket.ts"
  );
  const fd = preparedSocket(address, SOCK_DGRAM, 0, source);
  try {
    hearErrors(fd, address);
    bindAddress(fd, address, source);
    return fd;
  } catch (error) {
    abandon(fd);
    throw error;
  }
}
