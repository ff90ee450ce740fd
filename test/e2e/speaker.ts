/**
 * A server and its clients, for tests of what real hosts get.
 *
 *     speaker.ts serve PORT NAME [AT] TCP and UDP; says "listening". A TCP client's first line says what it wants:
 *                                       who      the server's name, or its own address when the name is "-"
 *                                       get N    N bytes
 *                                       put N    takes N bytes and answers with their hash
 *                                       hold     its name, then every line back
 *                                     A UDP client gets its datagrams back
 *     speaker.ts get HOST PORT N      prints the hash of what it got
 *     speaker.ts put HOST PORT N      prints the hash that the server got
 *     speaker.ts hold HOST PORT       prints the server's name, and stays until its standard input ends
 *     speaker.ts talk HOST PORT       prints the server's name, then sends each line of its standard input and prints what
 *                                     comes back, or "reset"
 *     speaker.ts ask HOST PORT N      sends a datagram of N bytes; prints "whole" when it comes back as it was
 */
import { createCipheriv, createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

const CHUNK_LENGTH = 256 * 1024;
const SHOWN = 16;

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));

async function main([role, ...args]: readonly string[]): Promise<void> {
  if (role === "serve") return serve(Number(args[0]), args[1]!, args[2]);
  if (role === "hold") return hold(args[0]!, Number(args[1]));
  if (role === "talk") return talk(args[0]!, Number(args[1]));
  const [host, port, length] = [args[0]!, Number(args[1]), Number(args[2])];
  say(role === "ask" ? await ask(host, port, length) : await transfer(role!, host, port, length));
}

async function serve(port: number, name: string, at = "0.0.0.0"): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    // A client that went before it said what it wants, or in the middle of it, is nothing to end for.
    answer(socket, name === "-" ? (socket.localAddress ?? "") : name).catch(() => socket.destroy());
  });
  server.listen(port, at);
  await once(server, "listening");
  const datagrams = createSocket("udp4");
  datagrams.on("message", (message, { port, address }) => {
    datagrams.send(message, port, address);
  });
  datagrams.bind(port, at);
  await once(datagrams, "listening");
  say("listening");
}

async function answer(socket: Socket, name: string): Promise<void> {
  const [first] = (await once(socket, "data")) as [Buffer];
  const end = first.indexOf("\n");
  const [word, number] = first.toString("latin1", 0, end).split(" ");
  const rest = first.subarray(end + 1);
  switch (word) {
    case "get":
      await pipeline(bytes(Number(number)), socket).catch(() => {});
      return;
    case "put": {
      const hash = createHash("sha256").update(rest);
      for await (const chunk of socket) hash.update(chunk);
      socket.end(hash.digest("hex"));
      return;
    }
    case "hold":
      socket.write(`${name}\n`);
      for await (const line of createInterface({ input: socket })) socket.write(`${line}\n`);
      socket.end();
      return;
    default:
      socket.end(`${name}\n`);
  }
}

async function transfer(role: string, host: string, port: number, length: number): Promise<string> {
  const socket = createConnection({ host, port, allowHalfOpen: true });
  await once(socket, "connect");
  socket.write(`${role} ${length}\n`);
  if (role === "put") {
    await pipeline(bytes(length), socket, { end: true });
    return (await socket.toArray()).join("");
  }
  const hash = createHash("sha256");
  for await (const chunk of socket) hash.update(chunk);
  socket.end();
  return hash.digest("hex");
}

async function talk(host: string, port: number): Promise<void> {
  const socket = createConnection({ host, port });
  socket.on("error", () => say("reset"));
  socket.on("data", (bytes: Buffer) => process.stdout.write(bytes));
  socket.write("hold\n");
  process.stdin.pipe(socket);
  await once(process.stdin, "end");
}

async function hold(host: string, port: number): Promise<void> {
  const socket = createConnection({ host, port });
  socket.write("hold\n");
  const [name] = (await once(socket, "data")) as [Buffer];
  say(name.toString().trim());
  process.stdin.resume();
  await once(process.stdin, "end");
  socket.end();
  await once(socket, "close");
}

async function ask(host: string, port: number, length: number): Promise<string> {
  const socket = createSocket("udp4");
  const message = Buffer.concat(await bytes(length).toArray());
  socket.send(message, port, host);
  const [answer] = (await once(socket, "message")) as [Buffer];
  socket.close();
  return answer.equals(message) ? "whole" : answer.subarray(0, SHOWN).toString("hex");
}

/** The hash of what `get` and `put` transfer. */
export async function hashOf(length: number): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of bytes(length)) hash.update(chunk);
  return hash.digest("hex");
}

/** Bytes that are nowhere the same, and everywhere the same for everybody. */
function bytes(length: number): Readable {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK_LENGTH);
  return Readable.from(
    (function* () {
      for (let left = length; left > 0; left -= CHUNK_LENGTH) {
        yield cipher.update(zeros.subarray(0, Math.min(left, CHUNK_LENGTH)));
      }
    })(),
  );
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
