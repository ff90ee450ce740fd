/** Requests to the API that were right before chance had its way with them: what they cost is given back. */
import { Agent, request } from "node:http";
import { Mutator } from "../../mutated-requests.ts";
import type { Attack } from "../attack.ts";
import type { Stage } from "../stage.ts";

const REQUESTS = { long: 100_000, short: 3_000 };
/** At once, as so many callers. */
const CALLERS = 8;
/** The memory is looked at so often meanwhile. */
const LOOKS = 5;
/** Its heap each so many requests: the least of them is what stays after a collection. */
const HEAP_EVERY = 250;
/** By how many MB that least may grow from the first look to the last. */
const HEAP_MAY_GROW = 24;
const SEED = 20_261_128;
const NOBODYS_FAULT = 503;

export const REQUEST_ATTACKS: readonly Attack[] = [
  {
    name: "api-requests",
    title: `mutated requests to the API, ${CALLERS} at a time`,
    // Some of them are right, and take away what clients ask for.
    mayFail: 1,
    breaksConnections: true,
    memoryMayGrow: 192,
    async carryOut(stage, { isShort }) {
      const all = REQUESTS[isShort ? "short" : "long"];
      const statuses = new Map<number, number>();
      const memory: number[] = [];
      const kept: number[] = [];
      for (let look = 0; look < LOOKS; look++) {
        kept.push(await send(stage, all / LOOKS, SEED + look, statuses));
        await stage.serveAnew();
        memory.push(stage.memory());
      }
      const bad = [...statuses].filter(([status]) => status >= 500 && status !== NOBODYS_FAULT);
      if (bad.length > 0)
        throw new Error(`status ${bad.map((each) => each.join(": ")).join(", ")}`);
      if (kept.at(-1)! - kept[0]! > HEAP_MAY_GROW)
        throw new Error(`the daemon keeps more and more, in MB: ${kept.join(", ")}`);
      const answered = [...statuses.values()].reduce((sum, count) => sum + count, 0);
      return `${answered} answered; MB: ${memory.join(", ")}; kept: ${kept.join(", ")}`;
    },
  },
];

/** Resolves to what the daemon kept meanwhile, in MB. */
async function send(
  { home }: Stage,
  count: number,
  seed: number,
  statuses: Map<number, number>,
): Promise<number> {
  const mutator = new Mutator(seed);
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
  let left = count;
  let kept = Number.POSITIVE_INFINITY;
  const call = async (): Promise<void> => {
    while (left-- > 0) {
      if (left % HEAP_EVERY === 0) kept = Math.min(kept, await heapOf(home.socket));
      const status = await answerTo(mutator.next(), home.socket, agent);
      if (status !== undefined) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  agent.destroy();
  return kept;
}

/** Of the daemon's JavaScript, in MB. Infinite where it is too busy to say. */
function heapOf(socketPath: string): Promise<number> {
  return new Promise((resolve) => {
    const unsaid = (): void => resolve(Number.POSITIVE_INFINITY);
    const sent = request({ socketPath, path: "/metrics" }, (response) => {
      let told = "";
      response.on("data", (chunk) => {
        told += chunk;
      });
      response.on("error", unsaid);
      response.on("close", () => {
        const [, bytes] = /^nodejs_heap_size_used_bytes (\S+)$/m.exec(told) ?? [];
        if (bytes === undefined) unsaid();
        else resolve(Math.round(Number(bytes) / 1_000_000));
      });
    });
    sent.on("error", unsaid);
    sent.end();
  });
}

/** Undefined for what cannot be sent, and where the connection ended instead. */
function answerTo(
  { method, path, headers, body }: ReturnType<Mutator["next"]>,
  socketPath: string,
  agent: Agent,
): Promise<number | undefined> {
  // Of a wrong length one would have to wait for the end of the daemon's patience.
  const { "content-length": _, expect: __, ...others } = headers;
  return new Promise((resolve) => {
    try {
      const sent = request({ socketPath, agent, method, path, headers: others }, (response) => {
        const isStream = response.headers["content-type"] === "text/event-stream";
        if (isStream) response.destroy();
        response.resume();
        response.on("error", () => {});
        response.on("close", () => resolve(response.statusCode));
      });
      sent.on("error", () => resolve(undefined));
      sent.end(method === "GET" || method === "HEAD" ? "" : body);
    } catch {
      resolve(undefined);
    }
  });
}
