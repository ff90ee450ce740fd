/** TLS on a probe's connection: whom the server says it is, and for how long it may still say so. */
import { readFileSync, statSync } from "node:fs";
import { isIP, type Socket } from "node:net";
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { ProbeFailure, waitFor, whyOf } from "./probe.ts";
import type { SecureSettings } from "./secure-settings.ts";

const EXPIRY_WARNING_DAYS = 14;
const DAY_MS = 86_400_000;

export interface Secured {
  readonly socket: TLSSocket;
  /** What somebody should know of the certificate. */
  readonly warning?: string;
}

/**
 * The handshake over a connection, which the secured one then owns.
 *
 * `name` is whom the certificate must name and, when it is no address, what SNI asks for (RFC 6066 section 3).
 */
export async function secure(
  connection: Socket,
  name: string,
  settings: SecureSettings,
  protocols: readonly string[],
  signal: AbortSignal,
): Promise<Secured> {
  const verified = settings.verify ?? true;
  const subject = settings.serverName ?? name;
  let socket: TLSSocket | undefined;
  try {
    socket = connect({
      socket: connection,
      secureContext: contextOf(settings),
      rejectUnauthorized: verified,
      checkServerIdentity: (_, certificate) => checkServerIdentity(subject, certificate),
      ...(isIP(subject) === 0 && { servername: subject }),
      ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
    });
    socket.on("error", () => {});
    await handshake(socket, signal);
    const warning = warningAbout(socket, settings.expiryWarningDays ?? EXPIRY_WARNING_DAYS);
    return { socket, ...(warning !== undefined && { warning }) };
  } catch (error) {
    socket?.destroy();
    connection.destroy();
    throw error;
  }
}

function handshake(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return waitFor<void>(signal, "the TLS handshake", (resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", (error) => reject(new ProbeFailure(`TLS: ${handshakeFault(error)}`)));
    socket.once("close", () =>
      reject(new ProbeFailure("TLS: the server closed the connection during the handshake")),
    );
  });
}

function handshakeFault(error: Error): string {
  const { code, reason } = error as NodeJS.ErrnoException & { reason?: string };
  if (code === "CERT_HAS_EXPIRED") return "the certificate has expired";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return "the server does not speak it";
  }
  // OpenSSL's own messages have file names and line numbers around their reason.
  if (code?.startsWith("ERR_SSL_")) return reason ?? code;
  // Node adds advice about its own options.
  return whyOf(error).replace(/; if the root CA .*/, "");
}

function warningAbout(socket: TLSSocket, warningDays: number): string | undefined {
  const { valid_to: end } = socket.getPeerCertificate();
  const endMs = Date.parse(end ?? "");
  if (Number.isNaN(endMs)) return undefined;
  const days = Math.floor((endMs - Date.now()) / DAY_MS);
  const day = new Date(endMs).toISOString().slice(0, 10);
  if (days < 0) return `the certificate expired on ${day}`;
  if (days >= warningDays) return undefined;
  return `the certificate expires on ${day}, in ${days} ${days === 1 ? "day" : "days"}`;
}

/** Reading authorities takes milliseconds: what was read is kept as long as its files stay the same. */
const contexts = new Map<string, SecureContext>();
const CONTEXTS_MAX = 64;

function contextOf(settings: SecureSettings): SecureContext {
  const files = [settings.authority, settings.clientCertificate, settings.clientKey];
  const key = files.map((file) => (file === undefined ? "" : stampOf(file))).join("\n");
  const known = contexts.get(key);
  if (known !== undefined) return known;
  const [ca, cert, privateKey] = files.map((file) =>
    file === undefined ? undefined : read(file, (path) => readFileSync(path)),
  );
  const context = createSecureContext({
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(privateKey !== undefined && { key: privateKey }),
  });
  if (contexts.size >= CONTEXTS_MAX) contexts.clear();
  contexts.set(key, context);
  return context;
}

function stampOf(file: string): string {
  const { mtimeMs, size, ino } = read(file, (path) => statSync(path));
  return `${file} ${mtimeMs} ${size} ${ino}`;
}

function read<Value>(file: string, how: (file: string) => Value): Value {
  try {
    return how(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ProbeFailure(`cannot read ${file}: ${code}`);
  }
}
