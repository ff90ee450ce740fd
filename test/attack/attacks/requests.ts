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
      for (let look = 0; look < LOOKS; look++) {
        await send(stage, all / LOOKS, SEED + look, statuses);
        await stage.serveAnew();
        memory.push(stage.memory());
      }
      const bad = [...statuses].filter(([status]) => status >= 500 && status !== NOBODYS_FAULT);
      if (bad.length > 0)
        throw new Error(`status ${bad.map((each) => each.join(": ")).join(", ")}`);
      const answered = [...statuses.values()].reduce((sum, count) => sum + count, 0);
      return `${answered} answered; MB: ${memory.join(", ")}`;
    },
  },
];

async function send(
  { home }: Stage,
  count: number,
  seed: number,
  statuses: Map<number, number>,
): Promise<void> {
  const mutator = new Mutator(seed);
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
  let left = count;
  const call = async (): Promise<void> => {
    while (left-- > 0) {
      const status = await answerTo(mutator.next(), home.socket, agent);
      if (status !== undefined) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  agent.destroy();
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
