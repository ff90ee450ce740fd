/**
 * Clients of a service whose director dies again and again.
 *
 *     restart-client.ts ADDRESS:PORT ...      holds connections to each, sends a line on each every 20 ms and expects it
 *                                             back; beside that asks for one answer after the other, a connection for
 *                                             each. Says "holding", for each line of its standard input
 *                                             how many were answered, and when that ends, JSON: Figures
 */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface ClientFigures {
  /** Connections that were held all the time. */
  readonly held: number;
  /** Those of them that ended, or never got all lines back, by how that was noticed. */
  readonly lost: Readonly<Record<string, number>>;
  readonly requests: number;
  /** Requests that got no answer, by what they got instead. */
  readonly failed: Readonly<Record<string, number>>;
  /** What requests waited at most, in milliseconds. */
  readonly slowestMs: number;
}

const HELD_EACH = 10;
const ASKING_EACH = 2;
const LINE_EVERY_MS = 20;
const ANSWER_MS = 240_000;
/** As long as what was lost last may take to be sent again. */
const SETTLE_MS = 240_000;

class Held {
  #sent = 0;
  #back = 0;
  #end: string | undefined;

  constructor(socket: Socket) {
    socket.setNoDelay(true);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#end ??= error.code ?? error.message;
    });
    socket.on("close", () => {
      this.#end ??= "closed";
    });
    socket.on("data", (bytes: Buffer) => {
      for (const byte of bytes) if (byte === 0x0a) this.#back++;
    });
    const timer = setInterval(() => {
      if (isEnding || this.#end !== undefined) return clearInterval(timer);
      socket.write(`${this.#sent++}\n`);
    }, LINE_EVERY_MS);
  }

  /** What it was lost by; undefined while it works. */
  get lostBy(): string | undefined {
    if (this.#end !== undefined || this.#sent === this.#back) return this.#end;
    return "silence";
  }

  get isAwaited(): boolean {
    return this.#end === undefined && this.#sent !== this.#back;
  }
}

let isEnding = false;
let requests = 0;
let answered = 0;
let slowestMs = 0;
const failed: Record<string, number> = {};
const services = process.argv.slice(2).map((text) => {
  const [host, port] = text.split(":") as [string, string];
  return { host, port: Number(port) };
});
const held: Held[] = [];
for (const service of services) {
  for (let count = 0; count < HELD_EACH; count++) {
    const socket = createConnection(service);
    socket.write("hold\n");
    await once(socket, "data");
    held.push(new Held(socket));
  }
}
const asking = services.flatMap((service) =>
  Array.from({ length: ASKING_EACH }, () => askUntilTheEnd(service)),
);
process.stdout.write("holding\n");
process.stdin.on("data", () => process.stdout.write(`${answered} answered\n`));
await once(process.stdin, "end");
isEnding = true;
await Promise.all(asking);
const until = performance.now() + SETTLE_MS;
while (held.some((each) => each.isAwaited) && performance.now() < until) {
  await sleep(LINE_EVERY_MS);
}
const lost: Record<string, number> = {};
for (const { lostBy } of held) if (lostBy !== undefined) count(lost, lostBy);
const figures: ClientFigures = { held: held.length, lost, requests, failed, slowestMs };
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(0);

function count(tally: Record<string, number>, what: string): void {
  tally[what] = (tally[what] ?? 0) + 1;
}

async function askUntilTheEnd(service: { host: string; port: number }): Promise<void> {
  while (!isEnding) {
    const begin = performance.now();
    const what = await ask(service);
    if (what === "answered") answered++;
    else count(failed, what);
    requests++;
    slowestMs = Math.max(slowestMs, performance.now() - begin);
    await sleep(5);
  }
}

/** "answered", or what happened instead. */
function ask(service: { host: string; port: number }): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(service);
    const end = (what: string): void => {
      socket.destroy();
      resolve(what);
    };
    let heard = 0;
    socket.setTimeout(ANSWER_MS, () => end("silence"));
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.on("data", (bytes: Buffer) => {
      heard += bytes.length;
    });
    socket.on("end", () => end(heard > 0 ? "answered" : "nothing"));
    socket.write("who\n");
  });
}
