/** A TCP connection to where a probe goes: every check that speaks over one gets it here. */
import { connect as connectSocket, type Socket } from "node:net";
import type { Outcome, ProbeTarget } from "./checker.ts";

/** Rejects with Node's error, or the signal's reason. Whoever gets the socket destroys it. */
export function connectTo(target: ProbeTarget, signal: AbortSignal): Promise<Socket> {
  const { address, port, source } = target;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connectSocket({
      host: address,
      port,
      ...(source?.address === undefined ? {} : { localAddress: source.address }),
      ...(source?.port === undefined ? {} : { localPort: source.port }),
    });
    const abort = (): void => end(signal.reason);
    const end = (error: unknown): void => {
      signal.removeEventListener("abort", abort);
      // An error that comes after this one is nobody's: a socket without a listener would throw it.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", end);
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.off("error", end);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** What went wrong with a server, in words. */
export function failure(error: unknown): Outcome {
  return { up: false, why: reasonOf(error) };
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "", message, name } = error as NodeJS.ErrnoException;
  if (name === "TimeoutError") return "no answer in time";
  return REASONS[code] ?? message;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ETIMEDOUT: "no answer in time",
  EPIPE: "connection closed",
  EACCES: "not permitted by the director's own firewall or rules",
  EPERM: "not permitted by the director's own firewall or rules",
  EADDRNOTAVAIL: "the director has no address or port to probe from",
  EMFILE: "the director has no descriptor to probe with",
};
