import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiBench, openApiBench } from "../../../test/api-bench.ts";
import { type Listening, listen } from "../../api/listen.ts";
import { type Gateway, serveToBrowser } from "./gateway.ts";

let bench: ApiBench;
let folder: string;
let path: string;
let listening: Listening;
let gateway: Gateway;
let token = "";

beforeAll(async () => {
  bench = await openApiBench();
  folder = mkdtempSync(join(tmpdir(), "gateway-"));
  path = join(folder, "sluice.sock");
  listening = await listen(bench.server, path, { peerOf: () => ({ uid: 0, gids: [0] }) });
  gateway = await serveToBrowser(path, { port: 0, isReadOnly: false });
  token = await buy(gateway);
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await listening[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Reply {
  readonly status: number | undefined;
  readonly text: string;
}

async function ask(
  method: string,
  at: string,
  headers: Readonly<Record<string, string>> = {},
  { body = "", to = gateway }: { readonly body?: string; readonly to?: Gateway } = {},
): Promise<Reply> {
  const options = { host: "127.0.0.1", port: to.port, agent: false, method, path: at, headers };
  const call = request(options).end(body);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, text };
}

async function buy(from: Gateway): Promise<string> {
  const [, ticket] = /#ticket=(.*)$/.exec(from.link())!;
  const { text } = await ask("POST", "/ui/session", {}, { body: ticket!, to: from });
  return (JSON.parse(text) as { readonly token: string }).token;
}

test("a link's ticket buys a token, once", async () => {
  const [, ticket] = /#ticket=(.*)$/.exec(gateway.link())!;
  const first = await ask("POST", "/ui/session", {}, { body: ticket! });
  expect(JSON.parse(first.text)).toEqual({ token });
  expect((await ask("POST", "/ui/session", {}, { body: ticket! })).status).toBe(401);
  expect((await ask("POST", "/ui/session", {}, { body: "x".repeat(10_000) })).status).toBe(401);
});

test("who has the token asks the daemon, and commands it", async () => {
  const authorization = `Bearer ${token}`;
  const info = await ask("GET", "/v1/info", { authorization });
  expect(JSON.parse(info.text)).toMatchObject({ name: "sluice" });
  const origin = `http://127.0.0.1:${gateway.port}`;
  expect((await ask("DELETE", "/v1/services", { authorization, origin })).status).toBe(204);
});

test.each([
  ["nobody's token", { authorization: "Bearer guess" }, 401],
  ["no token", { authorization: "" }, 401],
  ["a name that leads here", { host: "evil.example.net" }, 421],
  ["another page", { origin: "https://evil.example.net" }, 403],
  ["another page on this host", { origin: "http://127.0.0.1:1" }, 403],
])("%s is refused", async (_, headers, status) => {
  const all: Record<string, string> = { authorization: `Bearer ${token}`, ...headers };
  expect((await ask("GET", "/v1/info", all)).status).toBe(status);
});

test("pages need no token, and nothing else hides behind their place", async () => {
  expect([200, 404]).toContain((await ask("GET", "/ui/")).status);
  for (const at of ["/ui/../v1/info", "/ui/%2e%2e/v1/info", "/ui//", "/ui/x/y"]) {
    expect([at, (await ask("GET", at)).status]).toEqual([at, 401]);
  }
});

test("with --read-only nothing is commanded", async () => {
  await using looking = await serveToBrowser(path, { port: 0, isReadOnly: true });
  const authorization = `Bearer ${await buy(looking)}`;
  expect((await ask("GET", "/v1/info", { authorization }, { to: looking })).status).toBe(200);
  expect((await ask("DELETE", "/v1/services", { authorization }, { to: looking })).status).toBe(
    403,
  );
  const target = "/v1/services?x=/v1/configuration/plan";
  expect((await ask("POST", target, { authorization }, { to: looking })).status).toBe(403);
});

test("without a daemon it says so", async () => {
  await using alone = await serveToBrowser(`${path}.none`, { port: 0, isReadOnly: false });
  const authorization = `Bearer ${await buy(alone)}`;
  const { status, text } = await ask("GET", "/v1/info", { authorization }, { to: alone });
  expect([status, text]).toEqual([502, expect.stringContaining("sluice daemon")]);
});
