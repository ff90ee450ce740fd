/**
 * A real server's web server: says which one it is, as the handbook's index.html does. HTTP/1.1, RFC 9112, one request a
 * connection: the answer's end is the connection's.
 */
import type { Address } from "../../net/address.ts";
import type { Port } from "../../net/port.ts";
import type { Host } from "../host/host.ts";
import type { TcpConnection } from "../tcp/connection.ts";
import { joined } from "./bytes.ts";
import { sha256 } from "./digest.ts";

export interface WebServerOptions {
  /** What it says it is: `from NAME`. */
  readonly name: string;
  readonly port: Port;
  /** undefined: every address of the family. */
  readonly address?: Address | undefined;
  readonly family: Address["family"];
}

/** An answer that begins and never ends. */
const HOLD_PATH = "/hold";
/** An answer in two parts with so many seconds between them. */
const SLOW_PATH = /^\/slow\/(\d)$/;
const SLOW_END_MS = 500;
const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n";

/** What stops it, or why it does not start. */
export function startWebServer(
  host: Host,
  { name, port, address, family }: WebServerOptions,
): "EADDRINUSE" | "EADDRNOTAVAIL" | (() => void) {
  const accept = (connection: TcpConnection): void => serve(host, connection, name);
  return host.tcp.listen({ family, address, port, program: "httpd", accept });
}

function serve(host: Host, connection: TcpConnection, name: string): undefined {
  const pieces: Uint8Array[] = [];
  let length = 0;
  /** How long the request is, once its head tells. */
  let wanted: number | undefined;
  let isAnswered = false;
  connection.onChange = () => {
    const piece = connection.read();
    if (piece.length > 0 && !isAnswered) {
      pieces.push(piece);
      length += piece.length;
      wanted ??= lengthIn(joined(pieces));
    }
    if (!isAnswered && wanted !== undefined && length >= wanted) {
      isAnswered = true;
      answer(host, connection, name, requestIn(joined(pieces)));
    } else if (connection.isAtEnd && connection.state === "CLOSE-WAIT") connection.close();
  };
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
}

/** Of head and body together; undefined as long as the head is not whole. */
function lengthIn(bytes: Uint8Array): number | undefined {
  const end = endOfHead(bytes);
  if (end === undefined) return undefined;
  const head = new TextDecoder().decode(bytes.subarray(0, end));
  return end + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
}

function requestIn(bytes: Uint8Array): Request {
  const end = endOfHead(bytes) ?? bytes.length;
  const [method = "", path = ""] = new TextDecoder().decode(bytes.subarray(0, end)).split(" ");
  return { method, path, body: bytes.subarray(end) };
}

function endOfHead(bytes: Uint8Array): number | undefined {
  for (let at = 0; at + 3 < bytes.length; at++) {
    const isEnd =
      bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10;
    if (isEnd) return at + 4;
  }
  return undefined;
}

function answer(
  host: Host,
  connection: TcpConnection,
  name: string,
  { method, path, body }: Request,
): undefined {
  const say = (text: string): void => connection.write(new TextEncoder().encode(text));
  say(`${HEAD}from ${name}\n`);
  const pauseS = SLOW_PATH.exec(path)?.[1];
  if (method === "POST") {
    say(`${sha256(body)}  ${body.length} bytes\n`);
    connection.close();
  } else if (pauseS !== undefined) {
    host.agenda.after(Number(pauseS) * 1_000, () => {
      say("and on\n");
      host.agenda.after(SLOW_END_MS, () => {
        say("done\n");
        connection.close();
      });
    });
  } else if (path !== HOLD_PATH) connection.close();
}
