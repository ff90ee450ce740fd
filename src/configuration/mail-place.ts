/** Where mail goes: an SMTP server's name or address, and its port; and whom it is for. */
import { Address } from "../net/address.ts";

export interface MailServer {
  /** A name, or an address. */
  readonly host: string;
  readonly port: number;
}

export const A_MAIL_SERVER =
  "an SMTP server: mail.example.com, 192.0.2.25, mail.example.com:587, [2001:db8::25]:25";

/** RFC 5321 4.5.4.2. */
const SMTP_PORT = 25;

const NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;

export function parseMailServer(text: string): MailServer | undefined {
  const alone = Address.parse(text);
  if (alone !== undefined) return { host: alone.toString(), port: SMTP_PORT };
  const [, bracketed, bare, digits] =
    /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? SMTP_PORT : Number(digits);
  if (port < 1 || port > 0xffff) return undefined;
  if (bracketed !== undefined) {
    const address = Address.parse(bracketed);
    return address?.family === "inet6" ? { host: address.toString(), port } : undefined;
  }
  if (bare === undefined) return undefined;
  const address = Address.parse(bare);
  if (address !== undefined) return { host: address.toString(), port };
  return NAME.test(bare) && !/^[\d.]+$/.test(bare) ? { host: bare, port } : undefined;
}

export function formatMailServer({ host, port }: MailServer): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === SMTP_PORT ? host : `${name}:${port}`;
}

/** RFC 5321 4.1.2, without quoted local parts and address literals. */
export function isMailAddress(text: string): boolean {
  return text.length <= 254 && /^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/.test(text);
}
