/**
 * `/metrics` on a TCP port of its own, for a Prometheus that cannot read a unix socket. Nothing else is there, and nothing
 * can be changed there.
 *
 * Whoever reaches it may read it, so it is the loopback address unless another one is asked for. There a browser on the same
 * host could be led to it by a name that somebody else resolves to 127.0.0.1 (DNS rebinding): so it answers to names of the
 * loopback address alone.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { formatListenPlace, type ListenPlace } from "../../configuration/listen-place.ts";
import { BusyError } from "../../control/control.ts";
import { isLoopbackName, nameIn } from "../host-name.ts";
import { limitConnections, TIMEOUTS } from "../limits.ts";
import { ListenError } from "../listen.ts";
import { retire } from "../retire.ts";
import { CONTENT_TYPE } from "./exposition.ts";

export interface MetricsListening extends AsyncDisposable {
  /** The one that it has got, where 0 was asked for. */
  readonly port: number;
  /** Nobody else comes in; resolves when the last one is gone. */
  retire(): Promise<void>;
}

const PATH = "/metrics";

/** Rejects with a ListenError when the port cannot be had. */
export async function listenForMetrics(
  { address, port }: ListenPlace,
  page: () => AsyncGenerator<string>,
  onTrouble: (message: string) => void,
): Promise<MetricsListening> {
  const isLoopback = isLoopbackName(address);
  const server = createServer(TIMEOUTS, (request, response) => {
    answer(request, response, isLoopback, page).catch((error: Error) => {
      if (!isGone(error)) onTrouble(`the metrics were not given: ${error.message}`);
      response.destroy();
    });
  });
  await bind(server, { address, port });
  limitConnections(server, onTrouble);
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    retire: () => retire(server),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  { method, url = "/", headers }: IncomingMessage,
  response: ServerResponse,
  isLoopback: boolean,
  page: () => AsyncGenerator<string>,
): Promise<void> {
  const path = url.split("?", 1)[0];
  if (isLoopback && !isLoopbackName(nameIn(headers.host))) {
    return refuse(response, 403, "this port answers to names of the loopback address alone");
  }
  if (headers.origin !== undefined) return refuse(response, 403, "no page of the web reads this");
  if (path !== PATH) return refuse(response, 404, `there is ${PATH} and nothing else`);
  if (method !== "GET" && method !== "HEAD") return refuse(response, 405, "this is for reading");
  if (method === "HEAD")
    return void response.writeHead(200, { "content-type": CONTENT_TYPE }).end();
  let parts: AsyncGenerator<string>;
  try {
    parts = page();
  } catch (error) {
    if (!(error instanceof BusyError)) throw error;
    return refuse(response, 503, error.message);
  }
  response.writeHead(200, { "content-type": CONTENT_TYPE });
  await pipeline(Readable.from(parts), response);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${why}\n`);
}

function bind(server: Server, { address, port }: ListenPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new ListenError(
          `--metrics ${formatListenPlace({ address, port })} cannot be used: ${error.message}`,
          {
            cause: error,
          },
        ),
      ),
    );
    server.listen({ host: address, port }, resolve);
  });
}

/** The reader went away: its own affair. */
function isGone(error: NodeJS.ErrnoException): boolean {
  return ["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"].includes(error.code ?? "");
}
