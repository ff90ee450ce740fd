/** Reaches the daemon, or says what ipvsadm says when the kernel has no IPVS. */
import { ApiError, Client } from "../../api/client.ts";
import type { Info } from "../../api/messages.ts";
import { socketPath } from "../../api/routes.ts";
import { type Failure, mistake } from "./failure.ts";

export async function connect(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ client: Client; info: Info }> {
  const path = socketPath(environment);
  const client = new Client(path, "ipvsadm");
  try {
    return { client, info: await client.call("info", {}, undefined) };
  } catch (error) {
    throw notInitialized(error as NodeJS.ErrnoException | ApiError, path);
  }
}

/** ipvsadm's two lines, and one that says what to do. */
export function notInitialized(error: NodeJS.ErrnoException | ApiError, path: string): Failure {
  const { code = "", message } = error;
  // The daemon's own words then say who may.
  const advice = error instanceof ApiError ? `${message}.` : adviceFor(code, path);
  return mistake(
    `Can't initialize ipvs: ${REASON[code] ?? message}\n` +
      "Are you sure that IP Virtual Server is built in the kernel or as module?\n" +
      advice,
  );
}

/** libipvs' words for what went wrong. */
const REASON: Readonly<Record<string, string>> = {
  ENOENT: "Protocol not available",
  ECONNREFUSED: "Protocol not available",
  EACCES: "Permission denied (you must be root)",
  EPERM: "Permission denied (you must be root)",
  "not-permitted": "Permission denied (you must be root)",
};

/** What to do when nobody answers on a socket, by the error's code. */
export function adviceFor(code: string, path: string): string {
  return (ADVICE[code] ?? defaultAdvice)(path);
}

type Advice = (path: string) => string;

const defaultAdvice: Advice = (path) =>
  `Nothing answers on ${path}: start Sluice with 'sluice daemon', or set SLUICE_SOCKET to its socket.`;

const permissionAdvice: Advice = (path) =>
  `${path} is not yours to use: run as root or as a member of the socket's group.`;

const ADVICE: Readonly<Record<string, Advice>> = {
  EACCES: permissionAdvice,
  EPERM: permissionAdvice,
};
