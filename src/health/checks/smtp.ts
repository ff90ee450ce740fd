/** Whether a mail server greets, and takes a HELO: as keepalived's SMTP_CHECK (check_smtp.c). RFC 5321. */
import { hostname } from "node:os";
import { connectTcp } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import { checker, ProbeFailure, quoted } from "./probe.ts";
import type { SmtpSettings } from "./smtp-settings.ts";

export const smtp = checker<SmtpSettings>(async (target, { helo = hostname() }, signal) => {
  using server = new Conversation(await connectTcp(target, signal), signal);
  await expectReply(server, "the greeting", 220);
  server.send(`HELO ${helo}\r\n`);
  await expectReply(server, "the answer to HELO", 250);
  await server.sendLast("QUIT\r\n");
  return { up: true, why: "greeted, and answered HELO" };
});

async function expectReply(server: Conversation, what: string, code: number): Promise<void> {
  const reply = await server.read(what, lastLine);
  if (!reply.startsWith(String(code))) throw new ProbeFailure(`${what} is ${quoted(reply)}`);
}

/** A reply's lines have a hyphen after the code, but the last: RFC 5321 section 4.2.1. */
function lastLine(received: Buffer): string | undefined {
  const lines = received.toString("latin1").split("\n");
  lines.pop();
  return lines.find((line) => line[3] !== "-" || !/^\d{3}/.test(line))?.trimEnd();
}
