/**
 * Whether a mail server greets, and takes a HELO: as keepalived's SMTP_CHECK (check_smtp.c). RFC 5321. With TLS it is asked
 * by EHLO, whose answer offers STARTTLS: RFC 3207.
 */
import { isIPv6 } from "node:net";
import { hostname } from "node:os";
import type { Conversation } from "./conversation.ts";
import { checker, ProbeFailure, quoted } from "./probe.ts";
import { converse, goSecure } from "./secure-conversation.ts";
import type { SmtpSettings } from "./smtp-settings.ts";

export const smtp = checker<SmtpSettings>(async (target, settings, signal) => {
  const { tls } = settings;
  const talk = await converse(target, settings, tls === "always", signal);
  using server = talk.server;
  let { told } = talk;
  const helo = settings.helo ?? ownName(hostname(), server.localAddress);
  await expectReply(server, "the greeting", 220);
  if (tls === "starttls") {
    server.send(`EHLO ${helo}\r\n`);
    const offered = await expectReply(server, "the answer to EHLO", 250);
    if (!offered.some((each) => /^250[ -]STARTTLS\b/i.test(each))) {
      throw new ProbeFailure("the server does not offer STARTTLS");
    }
    server.send("STARTTLS\r\n");
    await expectReply(server, "the answer to STARTTLS", 220);
    told = await goSecure(server, target, settings, signal);
  }
  const hello = tls === undefined ? "HELO" : "EHLO";
  server.send(`${hello} ${helo}\r\n`);
  await expectReply(server, `the answer to ${hello}`, 250);
  await server.sendLast("QUIT\r\n");
  const by = tls === undefined ? "" : " over TLS";
  return { up: true, why: `greeted, and answered ${hello}${by}`, ...told };
});

/**
 * A domain, or else the address: RFC 5321 section 4.1.1.1. Postfix refuses a host's name without a domain
 * (reject_non_fqdn_helo_hostname), Exim one with an underscore.
 */
export function ownName(host: string, address: string | undefined): string {
  if (/^[a-z\d-]+(\.[a-z\d-]+)+$/i.test(host) || address === undefined) return host;
  return isIPv6(address) ? `[IPv6:${address}]` : `[${address}]`;
}

/** Its lines. */
async function expectReply(
  server: Conversation,
  what: string,
  code: number,
): Promise<readonly string[]> {
  const reply = await server.read(what, linesOf);
  const last = reply.at(-1)!;
  if (!last.startsWith(String(code))) throw new ProbeFailure(`${what} is ${quoted(last)}`);
  return reply;
}

/** A reply's lines have a hyphen after the code, but the last: RFC 5321 section 4.2.1. */
function linesOf(received: Buffer): readonly string[] | undefined {
  const lines = received.toString("latin1").split("\n");
  lines.pop();
  const last = lines.findIndex((line) => line[3] !== "-" || !/^\d{3}/.test(line));
  return last < 0 ? undefined : lines.slice(0, last + 1).map((line) => line.trimEnd());
}
