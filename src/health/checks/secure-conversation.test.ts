/** Servers that are spoken to in the clear first and then over TLS, and those that want it from the first byte. */
import type { Socket } from "node:net";
import { duplexPair } from "node:stream";
import { TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { selfSigned } from "../../../test/certificates.ts";
import { type LoopbackServer, serveTcp, soon } from "../../../test/loopback.ts";
import type { Outcome, ProbeTarget } from "../checker.ts";
import { mysql } from "./mysql.ts";
import { postgres } from "./postgres.ts";
import { redis } from "./redis.ts";
import type { SecureSettings } from "./secure-settings.ts";
import { smtp } from "./smtp.ts";

const { certificate: cert, key } = selfSigned("mail.example", -90, 5.5);

type Say = string | Buffer;

/** What the server says to each piece it hears; at TLS what follows is said over it. */
interface Script {
  readonly greeting?: Say;
  readonly clear: readonly Say[];
  readonly secure: readonly Say[];
  /** A greeting of the secured part. */
  readonly hello?: Say;
}

/** MySQL's, behind which the handshake comes without a wait for an answer. */
const SSL_REQUEST_BYTES = 36;

function play({ greeting, clear, secure, hello }: Script, heard: string[]) {
  return (socket: Socket): void => {
    const left = [...clear];
    const onClear = (bytes: Buffer): void => {
      const next = left.shift();
      const isPart = typeof greeting === "object" && bytes.length > SSL_REQUEST_BYTES;
      const piece = isPart ? bytes.subarray(0, SSL_REQUEST_BYTES) : bytes;
      heard.push(piece.toString("latin1"));
      if (next === undefined) socket.end();
      else socket.write(next);
      if (next === undefined || left.length > 0) return;
      socket.off("data", onClear);
      if (secure.length > 0 || isPart) goSecure(bytes.subarray(piece.length));
      else socket.on("data", () => socket.end());
    };
    const goSecure = (already: Buffer): void => {
      const [near, far] = duplexPair();
      far.write(already);
      socket.pipe(far).pipe(socket);
      const stream = new TLSSocket(near, { isServer: true, cert, key });
      stream.on("error", () => {});
      stream.on("close", () => socket.destroy());
      if (hello !== undefined) stream.write(hello);
      const answers = [...secure];
      stream.on("data", (bytes: Buffer) => {
        heard.push(bytes.toString("latin1"));
        const next = answers.shift();
        if (next === undefined) stream.end();
        else stream.write(next);
      });
    };
    if (greeting !== undefined) socket.write(greeting);
    if (clear.length === 0) goSecure(Buffer.alloc(0));
    else socket.on("data", onClear);
  };
}

/** HandshakeV10 of a server with or without TLS. */
function mysqlGreeting(hasTls: boolean): Buffer {
  const payload = Buffer.concat([
    Buffer.from("\u000a8.4.0\0", "latin1"),
    Buffer.alloc(4 + 8 + 1),
    Buffer.from(hasTls ? [0x00, 0x0a] : [0x00, 0x02]),
    Buffer.alloc(20),
  ]);
  return mysqlPacket(0, payload);
}

function mysqlPacket(sequence: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, payload]);
}

/** It asks for a password: AuthenticationCleartextPassword. */
const PASSWORD = Buffer.from("520000000800000003", "hex");

type Probe = (target: ProbeTarget, settings: SecureSettings) => Promise<Outcome>;

// biome-ignore format: a table
const KINDS: readonly [kind: string, probe: Probe, script: Script, why: string, heard: RegExp][] = [
  ["smtp by STARTTLS", (target, settings) => smtp(target, { helo: "lb", tls: "starttls", ...settings }, soon()),
    { greeting: "220 mail\r\n", clear: ["250-mail\r\n250-SIZE\r\n250 STARTTLS\r\n", "220 go\r\n"], secure: ["250 mail\r\n"] },
    "greeted, and answered EHLO over TLS", /^EHLO lb\r\n,STARTTLS\r\n,EHLO lb\r\n,QUIT\r\n$/],
  ["smtp over TLS always", (target, settings) => smtp(target, { helo: "lb", tls: "always", ...settings }, soon()),
    { clear: [], hello: "220 mail\r\n", secure: ["250 mail\r\n"] },
    "greeted, and answered EHLO over TLS", /^EHLO lb\r\n,QUIT\r\n$/],
  ["redis", (target, settings) => redis(target, { tls: true, ...settings }, soon()),
    { clear: [], secure: ["+PONG\r\n"] }, "PONG", /PING/],
  ["postgres", (target, settings) => postgres(target, { tls: true, ...settings }, soon()),
    { clear: ["S"], secure: [PASSWORD] }, "begins a session", /user\0sluice\0/],
  ["mysql", (target, settings) => mysql(target, { tls: true, ...settings }, soon()),
    { greeting: mysqlGreeting(true), clear: [""], secure: [] }, 'version "8.4.0"', /^ /],
  ["mysql with a user", (target, settings) => mysql(target, { tls: true, user: "sluice", ...settings }, soon()),
    { greeting: mysqlGreeting(true), clear: [""], secure: [mysqlPacket(3, Buffer.alloc(7))] }, 'version "8.4.0"', /sluice\0\0mysql_native_password/],
];

async function served(script: Script, heard: string[]): Promise<LoopbackServer> {
  return serveTcp(play(script, heard));
}

test.for(KINDS)("%s goes on over TLS", async ([, probe, script, why, said]) => {
  const heard: string[] = [];
  await using server = await served(script, heard);
  const outcome = await probe(server.target, { verify: false });
  expect(outcome).toEqual({ up: true, why, warning: expect.stringContaining("in 5 days") });
  await expect.poll(() => heard.join(",")).toMatch(said);
  await expect.poll(server.open).toBe(0);
});

test.for(KINDS)("%s refuses a certificate of nobody it knows", async ([, probe, script]) => {
  await using server = await served(script, []);
  const settings = { serverName: "mail.example" };
  expect(await probe(server.target, settings)).toEqual({
    up: false,
    why: "TLS: self-signed certificate",
  });
  await expect.poll(server.open).toBe(0);
});

// biome-ignore format: a table
const WITHOUT: readonly [kind: string, probe: Probe, script: Script, why: string][] = [
  ["smtp", KINDS[0]![1], { greeting: "220 mail\r\n", clear: ["250-mail\r\n250 SIZE\r\n", ""], secure: [] }, "the server does not offer STARTTLS"],
  ["smtp that changed its mind", KINDS[0]![1], { greeting: "220 mail\r\n", clear: ["250 STARTTLS\r\n", "454 not now\r\n", ""], secure: [] }, 'the answer to STARTTLS is "454 not now"'],
  ["postgres", KINDS[3]![1], { clear: ["N", ""], secure: [] }, "the server does not offer TLS"],
  ["mysql", KINDS[4]![1], { greeting: mysqlGreeting(false), clear: [""], secure: [] }, "the server does not offer TLS"],
];

test.for(WITHOUT)("%s without TLS is down", async ([, probe, script, why]) => {
  await using server = await served(script, []);
  expect(await probe(server.target, { verify: false })).toEqual({ up: false, why });
  await expect.poll(server.open).toBe(0);
});

test("what was said in the clear behind the answer is not heard over TLS", async () => {
  const script = { ...KINDS[0]![2], clear: ["250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"] };
  await using server = await served({ ...script, secure: ["550 no\r\n"] }, []);
  expect(await KINDS[0]![1](server.target, { verify: false })).toMatchObject({
    up: false,
    why: 'the answer to EHLO is "550 no"',
  });
});
