/**
 * Whether a MySQL or MariaDB server greets, and where a user is given, lets it in and out.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
 */
import { connectTcp } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import type { MysqlSettings } from "./mysql-settings.ts";
import { checker, ProbeFailure, quoted } from "./probe.ts";
import { goSecure } from "./secure-conversation.ts";

const PROTOCOL = 10;
const OK = 0x00;
const ERR = 0xff;
const AUTH_SWITCH = 0xfe;

// CLIENT_LONG_PASSWORD, _PROTOCOL_41, _SECURE_CONNECTION, _PLUGIN_AUTH.
const CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000;
const CLIENT_SSL = 0x800;
const PACKET_MAX = 4_096;
const UTF8MB4 = 45;

const QUIT = Buffer.from("0100000001", "hex");

interface Packet {
  readonly sequence: number;
  readonly payload: Buffer;
}

export const mysql = checker<MysqlSettings>(async (target, settings, signal) => {
  const { user, tls = false } = settings;
  using server = new Conversation(await connectTcp(target, signal), signal);
  const greeting = await server.read("the greeting", packetOf);
  const { payload } = greeting;
  refuseError(payload);
  const end = payload.indexOf(0, 1);
  if (payload[0] !== PROTOCOL || end < 0) throw new ProbeFailure("not a greeting of MySQL");
  // MariaDB has its own version behind one that old replicas understand (sql/mysqld.cc, RPL_VERSION_HACK).
  const version = payload.toString("latin1", 1, end).replace(/^5\.5\.5-(?=.*MariaDB)/, "");
  let told = {};
  if (tls) {
    if ((capabilitiesIn(payload, end) & CLIENT_SSL) === 0) {
      throw new ProbeFailure("the server does not offer TLS");
    }
    // SSLRequest is the beginning of the response that then comes over TLS.
    server.send(packet(greeting.sequence + 1, responseHead(CAPABILITIES | CLIENT_SSL)));
    told = await goSecure(server, target, settings, signal);
  }
  if (user !== undefined) {
    const sequence = greeting.sequence + (tls ? 1 : 0);
    await logIn(server, { sequence, isSecure: tls }, user);
  }
  return { up: true, why: `version ${quoted(version)}`, ...told };
});

/** Of the handshake's first part, HandshakeV10: behind the version, a thread's number, eight bytes and a zero. */
function capabilitiesIn(payload: Buffer, endOfVersion: number): number {
  const at = endOfVersion + 1 + 4 + 8 + 1;
  return payload.length < at + 2 ? 0 : payload.readUInt16LE(at);
}

async function logIn(
  server: Conversation,
  { sequence, isSecure }: { readonly sequence: number; readonly isSecure: boolean },
  user: string,
): Promise<void> {
  const capabilities = isSecure ? CAPABILITIES | CLIENT_SSL : CAPABILITIES;
  server.send(packet(sequence + 1, handshakeResponse(user, capabilities)));
  let answer = await server.read("the answer to the login", packetOf);
  if (answer.payload[0] === AUTH_SWITCH) {
    // No password is one zero byte to caching_sha2_password, and nothing at all to mysql_native_password.
    const plugin = answer.payload.toString("latin1", 1).split("\0")[0];
    const nothing = Buffer.alloc(plugin === "mysql_native_password" ? 0 : 1);
    server.send(packet(answer.sequence + 1, nothing));
    answer = await server.read("the answer to the login", packetOf);
  }
  refuseError(answer.payload);
  if (answer.payload[0] !== OK) throw new ProbeFailure(`user ${quoted(user)} needs a password`);
  await server.sendLast(QUIT);
}

function packetOf(received: Buffer): Packet | undefined {
  if (received.length < 4) return undefined;
  const end = 4 + received.readUIntLE(0, 3);
  if (end === 4 || end > PACKET_MAX) throw new ProbeFailure("not a packet of MySQL");
  if (received.length < end) return undefined;
  return { sequence: received[3]!, payload: received.subarray(4, end) };
}

function packet(sequence: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence & 0xff;
  return Buffer.concat([head, payload]);
}

/** HandshakeResponse41, of a user without a password. */
function handshakeResponse(user: string, capabilities: number): Buffer {
  const head = responseHead(capabilities);
  return Buffer.concat([head, Buffer.from(`${user}\0\0mysql_native_password\0`)]);
}

function responseHead(capabilities: number): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(capabilities, 0);
  head.writeUInt32LE(PACKET_MAX, 4);
  head[8] = UTF8MB4;
  return head;
}

function refuseError(payload: Buffer): void {
  if (payload[0] !== ERR) return;
  const code = payload.length < 3 ? 0 : payload.readUInt16LE(1);
  const message = payload.toString("utf8", 3).replace(/^#.{5}/, "");
  throw new ProbeFailure(`error ${code}: ${quoted(message)}`);
}
