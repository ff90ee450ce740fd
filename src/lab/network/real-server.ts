/** A real server's web server: says which one it is, as the handbook's index.html does. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** Where an answer begins and never ends: a client that asks for it keeps an established connection. */
export const HOLD_PATH = "/hold";

/** Serves until the process ends, and says `listening` once it does. */
export async function main([rip = "", port = ""]: readonly string[]): Promise<void> {
  const server = createServer((request, response) => {
    // The answer's end is the connection's, as with httpd without keep-alive: the server closes first for certain, and
    // its side shows TIME_WAIT.
    response.removeHeader("transfer-encoding");
    response.writeHead(200, { "content-type": "text/plain", connection: "close" });
    response.write(`from ${rip}\n`);
    if (request.method === "POST") answerUpload(request, response);
    else if (request.url !== HOLD_PATH) response.end();
  });
  server.listen({ port: Number(port), host: rip.includes(":") ? "::" : "0.0.0.0", ipv6Only: true });
  await once(server, "listening");
  process.stdout.write("listening\n");
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
