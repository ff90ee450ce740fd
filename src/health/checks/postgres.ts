/**
 * Whether a PostgreSQL server begins a session: it asks who we are, or says why not.
 *
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { connectTcp } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import type { PostgresSettings } from "./postgres-settings.ts";
import { checker, ProbeFailure, quoted } from "./probe.ts";
import { goSecure } from "./secure-conversation.ts";

const PROTOCOL_3_0 = 196_608;
/** SSLRequest, and the one byte that grants it. */
const SSL_REQUEST = Buffer.from("0000000804d2162f", "hex");
const YES = "S".charCodeAt(0);
const MESSAGE_MAX_BYTES = 4_096;
const TERMINATE = Buffer.from("5800000004", "hex");

interface Message {
  readonly type: string;
  readonly body: Buffer;
}

export const postgres = checker<PostgresSettings>(async (target, settings, signal) => {
  const { user = "sluice", database, tls = false } = settings;
  using server = new Conversation(await connectTcp(target, signal), signal);
  let told = {};
  if (tls) {
    server.send(SSL_REQUEST);
    const answer = await server.read("the answer to the wish for TLS", (bytes) => bytes[0]);
    if (answer !== YES) throw new ProbeFailure("the server does not offer TLS");
    told = await goSecure(server, target, settings, signal);
  }
  server.send(startup({ user, ...(database !== undefined && { database }) }));
  const { type, body } = await server.read("the answer to a session's start", messageOf);
  if (type === "E") return { ...refusal(body), ...told };
  await server.sendLast(TERMINATE);
  return { up: true, why: "begins a session", ...told };
});

function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join("");
  const body = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(head.length + body.length, 0);
  head.writeUInt32BE(PROTOCOL_3_0, 4);
  return Buffer.concat([head, body]);
}

function messageOf(received: Buffer): Message | undefined {
  const type = String.fromCharCode(received[0]!);
  // Authentication*, NegotiateProtocolVersion before it, ErrorResponse.
  if (!"RvE".includes(type)) throw new ProbeFailure("not an answer of PostgreSQL");
  if (received.length < 5) return undefined;
  const end = 1 + received.readUInt32BE(1);
  if (end > MESSAGE_MAX_BYTES) throw new ProbeFailure("not an answer of PostgreSQL");
  return received.length < end ? undefined : { type, body: received.subarray(5, end) };
}

/** Appendix A: class 28 and 3D are about who asks for what, and come from a server that works; all others are its own. */
function refusal(body: Buffer) {
  const fields = new Map(
    body
      .toString("utf8")
      .split("\0")
      .map((field) => [field[0], field.slice(1)]),
  );
  const code = fields.get("C") ?? "";
  const isAlive = code.startsWith("28") || code.startsWith("3D");
  const message = quoted(fields.get("M") ?? "");
  return { up: isAlive, why: isAlive ? `answers: ${message}` : `error ${code}: ${message}` };
}
