/** A real server's web server: says which one it is, as the handbook's index.html does. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** Where an answer comes in two parts with so many seconds between them: an idle connection that goes on. */
const SLOW_PATH = /^\/slow\/(\d)$/;
/** Then the second part is still on its way when what it meets is heard of. */
const SLOW_END_MS = 500;

/** Where an answer begins and never ends: a client that asks for it keeps an established connection. */
export const HOLD_PATH = "/hold";

/** Serves until the process ends, and says `listening` once it does. `place`: a port, or ADDRESS:PORT. */
export async function main([rip = "", place = ""]: readonly string[]): Promise<void> {
  const server = createServer((request, response) => {
    // The answer's end is the connection's, as with httpd without keep-alive: the server closes first for certain, and
    // its side shows TIME_WAIT.
    response.removeHeader("transfer-encoding");
    response.writeHead(200, { "content-type": "text/plain", connection: "close" });
    response.write(`from ${rip}\n`);
    const pauseS = SLOW_PATH.exec(request.url ?? "")?.[1];
    if (request.method === "POST") answerUpload(request, response);
    else if (pauseS !== undefined) answerSlowly(response, Number(pauseS) * 1_000);
    else if (request.url !== HOLD_PATH) response.end();
  });
  const [, address, port] = /^(?:(.+):)?(\d+)$/.exec(place) ?? [];
  const everywhere = rip.includes(":") ? "::" : "0.0.0.0";
  const host = address?.replace(/^\[(.*)\]$/, "$1") ?? everywhere;
  server.listen({ port: Number(port), host, ipv6Only: true });
  await once(server, "listening");
  process.stdout.write("listening\n");
}

function answerSlowly(response: ServerResponse, pauseMs: number): void {
  setTimeout(() => {
    response.write("and on\n");
    setTimeout(() => response.end("done\n"), SLOW_END_MS);
  }, pauseMs);
}

/** In sha256sum's form, so that the sender can tell whether what came is what went. */
function answerUpload(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash("sha256");
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    length += chunk.length;
  });
  request.once("end", () => response.end(`${hash.digest("hex")}  ${length} bytes\n`));
}
