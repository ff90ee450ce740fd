import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiBench, openApiBench } from "../../test/api-bench.ts";
import { type Listening, listen } from "./listen.ts";
import { type Peer, rightOf } from "./peer.ts";
import { ROUTES } from "./routes.ts";

const READERS = 77;
const READER: Peer = { uid: 1001, gids: [1001, READERS] };
const STRANGER: Peer = { uid: 1002, gids: [1002] };

let bench: ApiBench;
let folder: string;
let path: string;
let listening: Listening;
let peer = READER;

beforeAll(async () => {
  bench = await openApiBench();
  folder = mkdtempSync(join(tmpdir(), "readers-"));
  path = join(folder, "sluice.sock");
  listening = await listen(bench.server, path, { peerOf: () => peer, readers: READERS });
});

afterAll(async () => {
  await listening[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function statusOf(method: string, at: string, headers = {}): Promise<number | undefined> {
  const call = request({ socketPath: path, agent: false, method, path: at, headers }).end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.destroy();
  return response.statusCode;
}

const routes = Object.values(ROUTES).map(({ method, path: at }) => {
  const filled = at.replace(":service", "fwmark:7").replace(":destination", "10.0.0.2:80");
  return [method, filled.replace(":generation", "1")] as const;
});

test.each(routes)("%s %s: no stranger may, and a reader may look", async (method, at) => {
  peer = STRANGER;
  expect(await statusOf(method, at)).toBe(403);
  peer = READER;
  const isReading = method === "GET" || /\/(plan|explain)$/.test(at);
  const status = await statusOf(method, at);
  if (isReading) expect(status).not.toBe(403);
  else expect(status).toBe(403);
});

test("a page of the web may nothing, whoever looks at it", async () => {
  peer = { uid: 0, gids: [0] };
  expect(await statusOf("GET", "/v1", { origin: "https://example.net" })).toBe(403);
  expect(await statusOf("GET", "/v1")).toBe(200);
});

test("the socket is open to those whom its one group does not name", () => {
  expect(statSync(path).mode & 0o777).toBe(0o666);
});

test("the group root, and none at all, are no readers", () => {
  const owner = { uid: 0, gid: 5 };
  expect(rightOf({ uid: 1001, gids: [0] }, owner, 0)).toBeUndefined();
  expect(rightOf({ uid: 1001, gids: [7] }, owner, undefined)).toBeUndefined();
  expect(rightOf({ uid: 1001, gids: [7] }, owner, 7)).toBe("read");
  expect(rightOf({ uid: 1001, gids: [7, 5] }, owner, 7)).toBe("write");
});
