import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { type RequestOptions, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiBench, openApiBench } from "../../../test/api-bench.ts";
import { selfSigned } from "../../../test/certificates.ts";
import { ROUTES } from "../routes.ts";
import { type AuditRecord, listenSecurely, type SecureListening } from "./listen.ts";
import { Tokens } from "./tokens.ts";

const NAME = "sluice.example.net";
const first = selfSigned(NAME);

let bench: ApiBench;
let folder: string;
let listening: SecureListening;
const secrets = { read: "", admin: "" };
const calls: AuditRecord[] = [];
const refusals: [AuditRecord, string][] = [];
const troubles: string[] = [];

beforeAll(async () => {
  bench = await openApiBench();
  folder = mkdtempSync(join(tmpdir(), "secure-"));
  const place = {
    address: "127.0.0.1",
    port: 0,
    certificate: join(folder, "certificate.pem"),
    key: join(folder, "key.pem"),
  };
  writeFileSync(place.certificate, first.certificate);
  writeFileSync(place.key, first.key);
  const tokens = new Tokens(join(folder, "tokens.json"));
  secrets.read = await tokens.create("reader", "read");
  secrets.admin = await tokens.create("operator", "admin");
  listening = await listenSecurely(bench.server, place, {
    tokens,
    onCall: (record) => calls.push(record),
    onRefused: (record, why) => refusals.push([record, why]),
    onTrouble: (message) => troubles.push(message),
  });
});

afterAll(async () => {
  await listening[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly code: string | undefined;
}

async function ask(
  method: string,
  path: string,
  { token, ...options }: RequestOptions & { token?: string } = {},
): Promise<Answer> {
  const call = request({
    host: "127.0.0.1",
    port: listening.port,
    servername: NAME,
    ca: first.certificate,
    agent: false,
    method,
    path,
    ...options,
    headers: {
      host: NAME,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(options.headers as Record<string, string> | undefined),
    },
  }).end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const { statusCode: status, headers } = response;
  // A stream of events has no end.
  if (headers["content-type"] === "text/event-stream") {
    response.destroy();
    return { status, type: headers["content-type"], code: undefined };
  }
  let text = "";
  for await (const chunk of response) text += chunk;
  // The answer to a HEAD has no body.
  const isProblem = text !== "" && headers["content-type"] === "application/problem+json";
  const code = isProblem ? (JSON.parse(text) as { error: { code: string } }).error.code : undefined;
  return { status, type: headers["content-type"], code };
}

/** With something in the place of each parameter. */
const filled = (path: string): string =>
  path
    .replace(":service", "tcp%3A10.0.0.1%3A80")
    .replace(":destination", "10.0.0.2%3A80")
    .replace(":generation", "1");

const routes = Object.entries(ROUTES).map(
  ([name, { method, path }]) => [name, method, path] as const,
);

test.each(routes)("%s (%s %s) is for a token of its scope alone", async (_, method, path) => {
  // Each from an address of its own, or it would have to wait.
  const localAddress = nextAddress();
  const unknown = await ask(method, filled(path), { localAddress });
  expect(unknown).toEqual({ status: 401, type: "application/problem+json", code: "no-token" });
  const wrong = await ask(method, filled(path), { localAddress, token: `${secrets.admin}x` });
  expect(wrong.status).toBe(401);
  const isReading = method === "GET" || /\/(plan|explain)$/.test(path);
  const read = await ask(method, filled(path), { localAddress, token: secrets.read });
  if (isReading) expect(read.status).not.toBe(403);
  else expect(read).toMatchObject({ status: 403, code: "not-permitted" });
  expect(bench.bugs).toEqual([]);
});

test("a command is told of, and who tries without a token, once", async () => {
  calls.length = 0;
  refusals.length = 0;
  const localAddress = nextAddress();
  const reply = await ask("DELETE", "/v1/services", { localAddress, token: secrets.admin });
  expect(reply.status).toBe(204);
  await ask("GET", "/v1/services", { localAddress, token: secrets.admin });
  for (let count = 0; count < 3; count++) await ask("GET", "/v1/services", { localAddress });
  expect(calls).toEqual([
    {
      token: "operator",
      address: localAddress,
      method: "DELETE",
      path: "/v1/services",
      status: 204,
    },
  ]);
  expect(refusals).toMatchObject([
    [{ token: null, address: localAddress, status: 401 }, "no token"],
  ]);
});

test("who tries too often waits, also with a right token", async () => {
  const localAddress = nextAddress();
  for (let count = 0; count < 10; count++)
    await ask("GET", "/v1", { localAddress, token: "guess" });
  const last = await ask("GET", "/v1", { localAddress, token: secrets.admin });
  expect(last).toMatchObject({ status: 429, code: "too-many-attempts" });
});

test.each([
  ["another name", { host: "evil.example.net" }, 421],
  ["an address that the certificate is not for", { host: "127.0.0.1" }, 421],
  ["a page of the web", { origin: "https://evil.example.net" }, 403],
])("%s is refused", async (_, headers, status) => {
  const token = secrets.admin;
  const reply = await ask("GET", "/v1", { headers, token, localAddress: nextAddress() });
  expect(reply.status).toBe(status);
});

test.each([
  ["GET", "/ui/", undefined],
  ["HEAD", "/ui/index.html", undefined],
  ["GET", "/ui", 302],
])("%s %s needs no token: it is where one is asked for", async (method, path, status) => {
  const reply = await ask(method, path, { localAddress: nextAddress() });
  // Whether the pages are built or not.
  if (status === undefined) expect([200, 404]).toContain(reply.status);
  else expect(reply.status).toBe(status);
});

test.each([
  ["POST", "/ui/"],
  ["GET", "/ui/../v1/services"],
  ["GET", "/ui/%2e%2e/v1/services"],
  ["GET", "/ui//v1"],
  ["GET", "/uis"],
])("%s %s is none of the pages", async (method, path) => {
  expect((await ask(method, path, { localAddress: nextAddress() })).status).toBe(401);
});

test("our own pages may command, with a token that may", async () => {
  const headers = { origin: `https://${NAME}` };
  const localAddress = nextAddress();
  const command = { headers, localAddress, token: secrets.admin };
  expect((await ask("DELETE", "/v1/services", command)).status).toBe(204);
  const look = { headers, localAddress, token: secrets.read };
  expect((await ask("DELETE", "/v1/services", look)).status).toBe(403);
});

test("without TLS there is nothing", async () => {
  await expect(fetch(`http://127.0.0.1:${listening.port}/v1`)).rejects.toThrow();
});

test("a certificate that was renewed is the next connection's; a bad one changes nothing", async () => {
  writeFileSync(join(folder, "certificate.pem"), "nonsense");
  expect(() => listening.renew()).toThrow("cannot be used");
  const before = await ask("GET", "/v1", { token: secrets.read, localAddress: nextAddress() });
  expect(before.status).toBe(200);
  const next = selfSigned(NAME);
  writeFileSync(join(folder, "certificate.pem"), next.certificate);
  writeFileSync(join(folder, "key.pem"), next.key);
  listening.renew();
  const options = { token: secrets.read, ca: next.certificate, localAddress: nextAddress() };
  expect((await ask("GET", "/v1", options)).status).toBe(200);
  expect(troubles).toEqual([]);
});

test("other files than at the start: their tokens and their certificate count, those before no more", async () => {
  const [certificate, key] = [join(folder, "other.pem"), join(folder, "other.key")];
  const next = selfSigned(NAME);
  writeFileSync(certificate, next.certificate);
  writeFileSync(key, next.key);
  const tokens = new Tokens(join(folder, "other.json"));
  const secret = await tokens.create("other", "read");
  const place = { address: "127.0.0.1", port: 0, certificate, key };
  expect(() => listening.renew({ place: { ...place, key: "/nowhere" }, tokens })).toThrow(
    "/nowhere",
  );
  listening.renew({ place, tokens });
  const withToken = (token: string) =>
    ask("GET", "/v1", { token, ca: next.certificate, localAddress: nextAddress() });
  expect((await withToken(secret)).status).toBe(200);
  expect((await withToken(secrets.read)).status).toBe(401);
});

let addresses = 1;

function nextAddress(): string {
  addresses++;
  return `127.0.${addresses >> 8}.${addresses & 0xff}`;
}
