/** `download-server.ts PORT`: answers every request with 100 MB. Says "ready". */
import { once } from "node:events";
import { createServer } from "node:http";

const PART = Buffer.alloc(1_000_000, "sluice ");
const PARTS = 100;

const server = createServer((_request, response) => {
  response.writeHead(200, { "content-length": PART.length * PARTS });
  let parts = 0;
  const send = (): void => {
    while (parts < PARTS) {
      parts++;
      if (!response.write(PART)) return;
    }
    response.end();
  };
  response.on("drain", send);
  send();
});
server.listen(Number(process.argv[2]));
await once(server, "listening");
process.stdout.write("ready\n");
