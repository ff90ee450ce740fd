/** A receiver that gets mail, by an SMTP server. Loaded, with nodemailer, where a file has such a receiver. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { hostname } from "node:os";
import { createTransport, type Transporter } from "nodemailer";
import type SMTPTransport from "nodemailer/lib/smtp-transport/index.js";
import { formatMailServer } from "../../configuration/mail-place.ts";
import type { MailSettings } from "../../configuration/notify.ts";
import type { KeptEvent } from "../../control/events.ts";
import { mailText } from "./mail-text.ts";
import type { Way } from "./way.ts";

/** Of a storm of events each does not get a mail of its own. */
const TOGETHER_MAX = 200;

export function mail(settings: MailSettings): Way {
  const { to, server } = settings;
  return {
    name: `mail to ${to.join(", ")} by ${formatMailServer(server)}`,
    tries: 3,
    togetherMax: TOGETHER_MAX,
    takes: () => true,
    tell: (events, signal) => send(settings, events, signal),
  };
}

async function send(
  settings: MailSettings,
  events: readonly KeptEvent[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { to, from = `sluice@${hostname()}`, name = hostname() } = settings;
  // The socket is ours: the end of our patience is its end, wherever the conversation is.
  let socket: Socket | undefined;
  const hangUp = (): void => void socket?.destroy(new Error("it took too long"));
  signal.addEventListener("abort", hangUp);
  try {
    socket = connect({ ...settings.server });
    // Also while nobody else hears them, before nodemailer does and after it: none ends the process.
    socket.on("error", () => {});
    await once(socket, "connect", { signal });
    const transport = transportOver(socket, settings);
    await transport.sendMail({
      from,
      to: [...to],
      ...mailText(name, events),
      // What answers by itself (RFC 3834) shall not answer this.
      headers: { "Auto-Submitted": "auto-generated" },
      xMailer: "Sluice",
    });
    return undefined;
  } catch (error) {
    return signal.aborted ? "it took too long" : (error as Error).message;
  } finally {
    signal.removeEventListener("abort", hangUp);
    socket?.destroy();
  }
}

function transportOver(socket: Socket, settings: MailSettings): Transporter {
  const { server, helo = hostname(), tls, login } = settings;
  const isSure = tls === "required" || tls === "always";
  const options: SMTPTransport.Options = {
    ...server,
    connection: socket,
    name: helo,
    secure: tls === "always",
    ignoreTLS: tls === "never",
    requireTLS: tls === "required",
    tls: { rejectUnauthorized: isSure, minVersion: "TLSv1.2" },
    ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  return createTransport(options);
}
