/** Requests that a fuzzer, or somebody worse, would send: none of them may be the daemon's fault, or stay in its memory. */
import { once } from "node:events";
import { createConnection } from "node:net";
import { expect, test } from "vitest";
import { ROUTES } from "../src/api/routes.ts";
import { openApiBench } from "./api-bench.ts";
import { MUTATION_SEEDS, Mutator } from "./mutated-requests.ts";

/** SLUICE_API_ATTACK=100000 has the long form. */
const REQUESTS = Number(process.env.SLUICE_API_ATTACK ?? 6_000);
const MiB = 1 << 20;

test(`${REQUESTS} mutated requests: no crash, no 5xx, and what they cost is given back`, async () => {
  await using bench = await openApiBench();
  const mutator = new Mutator(20_261_128);
  const statuses = new Map<number, number>();
  const send = async (): Promise<void> => {
    const { method, path, headers, body } = mutator.next();
    let request: Request;
    try {
      request = new Request(`http://sluice${path}`, {
        method,
        headers,
        ...(method === "GET" || method === "HEAD" ? {} : { body }),
      });
    } catch {
      // What no HTTP client could send.
      return;
    }
    const response = await bench.server.fetch(request, {});
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    if (response.headers.get("content-type") === "text/event-stream") {
      await response.body?.cancel();
    } else {
      await response.arrayBuffer();
    }
  };
  const memory: number[] = [];
  for (let sent = 0; sent < REQUESTS; sent++) {
    await send();
    // Services that mutations happened to make are no leak.
    if (sent % 500 === 0) await bench.client.call("flush", {}, undefined);
    if (sent % Math.ceil(REQUESTS / 6) === 0) {
      globalThis.gc?.();
      memory.push(process.memoryUsage().heapUsed);
    }
  }
  expect(bench.bugs).toEqual([]);
  const served = [...statuses].filter(([status]) => status >= 500 && status !== 503);
  expect(served).toEqual([]);
  // The seeds are good requests: some of what is made of them still is.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(REQUESTS / 100);
  expect(statuses.get(400) ?? 0).toBeGreaterThan(REQUESTS / 100);
  // Without --expose-gc this says little, and must not be wrong for it.
  if (globalThis.gc !== undefined) {
    expect(memory.at(-1)! - memory[2]!).toBeLessThan(16 * MiB);
  }
  expect((await bench.client.call("info", {}, undefined)).name).toBe("sluice");
}, 300_000);

test("bytes that are hardly HTTP close a connection at most", async () => {
  await using bench = await openApiBench();
  const mutator = new Mutator(20_261_129);
  for (let round = 0; round < 300; round++) {
    const socket = createConnection(bench.socketPath);
    socket.on("error", () => {});
    socket.end(mutator.nextBytes());
    socket.resume();
    if (round % 50 === 49) await once(socket, "close");
  }
  expect((await bench.client.call("info", {}, undefined)).name).toBe("sluice");
  expect(bench.bugs).toEqual([]);
});

test("mutations begin with each route", () => {
  const seeds = new Set(MUTATION_SEEDS.map(({ name }) => name));
  expect([...seeds].toSorted()).toEqual(Object.keys(ROUTES).toSorted());
});
