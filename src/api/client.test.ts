import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Client } from "./client.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "client-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Answers the first call of each connection, and closes the connection on the second. */
async function closing() {
  const path = join(folder, "socket");
  const answered = new WeakSet<object>();
  const asked: string[] = [];
  const server = createServer(({ method, socket }, response) => {
    asked.push(method!);
    if (answered.has(socket)) return void socket.destroy();
    answered.add(socket);
    response.end("{}");
  }).listen(path);
  await once(server, "listening");
  return { server, asked, client: new Client(path) };
}

test("a connection that the daemon closed meanwhile is another one for what only asks", async () => {
  const { server, asked, client } = await closing();
  await client.call("reasons", {}, undefined);
  expect(await client.call("reasons", {}, undefined)).toEqual({});
  expect(asked).toEqual(["GET", "GET", "GET"]);
  client.close();
  server.close();
});

test("what changes something is not asked for twice", async () => {
  const { server, asked, client } = await closing();
  await client.call("reasons", {}, undefined);
  await expect(client.call("setSysctls", {}, {})).rejects.toThrow();
  expect(asked.filter((method) => method !== "GET")).toHaveLength(1);
  client.close();
  server.close();
});
