import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createSecureServer, createServer as createServer2 } from "node:http2";
import { createServer as createHttps } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { selfSigned } from "../../../test/certificates.ts";
import { impatient, sendForEver, serve, serveTcp, soon } from "../../../test/loopback.ts";
import { http, https } from "./http.ts";
import type { HttpSettings } from "./http-settings.ts";

const PAGE = "All is well.\nRequests: 17\n";
const MD5 = createHash("md5").update(PAGE).digest("hex");
const SHA256 = createHash("sha256").update(PAGE).digest("hex");

const page: RequestListener = (request, response) => {
  const [, status] = /^\/(\d{3})$/.exec(request.url ?? "") ?? [];
  response.writeHead(status === undefined ? 200 : Number(status));
  response.end(request.method === "HEAD" ? undefined : PAGE);
};

// biome-ignore format: a table
const cases: [what: string, settings: HttpSettings, up: boolean, why: string][] = [
  ["takes a status from 200 to 299", {}, true, "status 200"],
  ["takes one without a body", { method: "HEAD" }, true, "status 200"],
  ["refuses another", { path: "/503" }, false, "status 503, expected 200-299"],
  ["refuses a redirection", { path: "/302" }, false, "status 302, expected 200-299"],
  ["takes the statuses that it is told", { path: "/302", status: [200, "300-399"] }, true, "status 302"],
  ["refuses those that it is not told", { path: "/204", status: [200, "300-399"] }, false, "status 204, expected 200, 300-399"],
  ["finds a text", { body: { contains: "is well" } }, true, "status 200"],
  ["misses a text", { body: { contains: "is Well" } }, false, 'status 200, but the body has no "is Well"'],
  ["finds a text in letters of either kind", { body: { contains: "IS WELL", ignoreCase: true } }, true, "status 200"],
  ["finds a pattern", { body: { matches: "^Requests: \\d+$" } }, true, "status 200"],
  ["misses a pattern", { body: { matches: "^Requests: \\D" } }, false, "status 200, but the body does not match ^Requests: \\D"],
  ["finds what should not be there", { body: { lacks: "requests", ignoreCase: true } }, false, "status 200, but the body matches requests"],
  ["does not find what should not be there", { body: { lacks: "requests" } }, true, "status 200"],
  ["takes keepalived's digest", { body: { digest: `md5:${MD5}` } }, true, "status 200"],
  ["takes a longer digest in capital letters", { body: { digest: `sha256:${SHA256.toUpperCase()}` } }, true, "status 200"],
  ["refuses another digest", { body: { digest: `md5:${"0".repeat(32)}` } }, false, `status 200, but the body's digest is ${MD5}, expected ${"0".repeat(32)}`],
  ["has no digest of a page that is too long", { body: { digest: `md5:${MD5}`, maxBytes: 20 } }, false, "status 200, but the body is longer than 20 bytes"],
  ["looks at the beginning of a page that is too long", { body: { contains: "well", maxBytes: 20 } }, true, "status 200"],
  ["does not look further", { body: { contains: "Requests", maxBytes: 15 } }, false, 'status 200, but the first 15 bytes of the body has no "Requests"'],
];

test.for(cases)("http %s", async ([, settings, up, why]) => {
  await using server = await serve(createServer(page));
  expect(await http(server.target, settings, soon())).toEqual({ up, why });
  await expect.poll(server.open).toBe(0);
});

test.for(cases)("http by HTTP/2 %s", async ([, settings, up, why]) => {
  await using server = await serve(createServer2(page as never) as never);
  expect(await http(server.target, { ...settings, version: "2" }, soon())).toEqual({ up, why });
  await expect.poll(server.open).toBe(0);
});

test("http asks for what it is told, as whom it is told", async () => {
  const requests: IncomingMessage[] = [];
  await using server = await serve(
    createServer((request, response) => {
      requests.push(request);
      response.end();
    }),
  );
  const { address, port } = server.target;
  await http(server.target, {}, soon());
  await http(
    server.target,
    {
      path: "/health?full=1",
      host: "web.example:8080",
      method: "POST",
      headers: { Authorization: "Bearer abc", "User-Agent": "probe" },
    },
    soon(),
  );
  expect(requests.map(({ method, url, httpVersion }) => [method, url, httpVersion])).toEqual([
    ["GET", "/", "1.1"],
    ["POST", "/health?full=1", "1.1"],
  ]);
  expect(requests[0]!.headers).toEqual({
    host: `${address}:${port}`,
    "user-agent": "sluice",
    accept: "*/*",
    connection: "close",
  });
  expect(requests[1]!.headers).toMatchObject({
    host: "web.example:8080",
    authorization: "Bearer abc",
    "user-agent": "probe",
  });
});

// biome-ignore format: a table
const broken: [what: string, answer: string, why: RegExp][] = [
  ["dies before its headers end", "HTTP/1.1 200 OK\r\nContent-", /^the server closed the connection without an answer|^not an answer of HTTP/],
  ["dies in the middle of the body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", /in the middle of the body$/],
  ["dies in the middle of a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf", /in the middle of the body$/],
  ["speaks another language", "SSH-2.0-OpenSSH_9.2\r\n", /^not an answer of HTTP: /],
  ["changes the protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", /^the server changed the protocol$/],
  ["has headers that are too long", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, /^the answer's headers are longer than 16384 bytes$/],
];

test.for(broken)("http is down when the server %s", async ([, answer, why]) => {
  await using server = await serveTcp((socket) => socket.once("data", () => socket.end(answer)));
  const outcome = await http(server.target, {}, soon());
  expect(outcome.why).toMatch(why);
  expect(outcome.up).toBe(false);
});

test("http is down when the body never ends", async () => {
  await using server = await serve(
    createServer((_, response) => {
      response.write("half");
    }),
  );
  const outcome = { up: false, why: "no answer in time, waited for the rest of the body" };
  expect(await http(server.target, {}, impatient())).toEqual(outcome);
  expect(await http(server.target, { body: { contains: "half" } }, impatient())).toEqual(outcome);
});

test("http takes HTTP/1.0, whose body ends with the connection", async () => {
  await using server = await serveTcp((socket) =>
    socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nwell")),
  );
  const outcome = await http(server.target, { body: { contains: "well" } }, soon());
  expect(outcome).toEqual({ up: true, why: "status 200" });
});

const endless: [what: string, head: string, piece: string, up: boolean][] = [
  ["a body", "HTTP/1.1 200 OK\r\n\r\n", "x".repeat(1_024), true],
  ["headers", "HTTP/1.1 200 OK\r\n", `X: ${"x".repeat(1_000)}\r\n`, false],
  ["informational answers", "", "HTTP/1.1 103 Early Hints\r\n\r\n", false],
];

test.for(endless)(
  "http reads no more than it needs of %s without end",
  async ([, head, piece, up]) => {
    await using server = await serveTcp((socket) => {
      socket.once("data", () => {
        socket.write(head);
        sendForEver(socket, piece);
      });
    });
    expect((await http(server.target, {}, impatient())).up).toBe(up);
    await expect.poll(server.open).toBe(0);
  },
);

test("a pattern that would take for ever ends the probe, not the prober", async () => {
  await using server = await serve(createServer((_, response) => response.end("a".repeat(40))));
  const outcome = await http(server.target, { body: { matches: "^(a+)+$(?<!a)" } }, soon());
  expect(outcome.up).toBe(false);
  expect(outcome.why).toMatch(/takes longer than 100 ms$/);
});

const { certificate: cert, key } = selfSigned("web.example", -1, 3.5);
const folder = mkdtempSync(join(tmpdir(), "sluice-https-"));
afterAll(() => rmSync(folder, { recursive: true }));
const authority = join(folder, "authority.pem");
writeFileSync(authority, cert);

test("https checks the certificate against the Host, and warns of its end", async () => {
  await using server = await serve(createHttps({ cert, key }, page));
  const settings = { authority, host: "web.example:443", body: { contains: "well" } };
  const outcome = await https(server.target, settings, soon());
  expect(outcome).toMatchObject({ up: true, why: "status 200" });
  expect(outcome.warning).toMatch(/^the certificate expires on .*, in 3 days$/);
  expect((await https(server.target, { authority }, soon())).why).toMatch(/^TLS: .*127\.0\.0\.1/);
  expect((await https(server.target, { verify: false }, soon())).up).toBe(true);
  await expect.poll(server.open).toBe(0);
});

test("https speaks HTTP/2 with who does, and with nobody else", async () => {
  await using two = await serve(createSecureServer({ cert, key }, page as never) as never);
  await using one = await serve(createHttps({ cert, key }, page));
  const settings = { verify: false, version: "2", expiryWarningDays: 0 } as const;
  expect(await https(two.target, settings, soon())).toEqual({ up: true, why: "status 200" });
  const outcome = await https(one.target, settings, soon());
  expect(outcome.up).toBe(false);
  await expect.poll(two.open).toBe(0);
});

test.for([
  ["http", "1.1"],
  ["http", "2"],
  ["https", "1.1"],
  ["https", "2"],
] as const)("%s by HTTP/%s leaves no descriptor behind", async ([kind, version]) => {
  const one = kind === "http" ? createServer(page) : createHttps({ cert, key }, page);
  const two =
    kind === "http"
      ? createServer2(page as never)
      : createSecureServer({ cert, key }, page as never);
  await using server = await serve(version === "1.1" ? one : (two as never));
  const probe = () =>
    kind === "http"
      ? http(server.target, { version }, soon())
      : https(server.target, { version, verify: false }, soon());
  const descriptors = () => readdirSync("/proc/self/fd").length;
  expect((await probe()).up).toBe(true);
  await expect.poll(server.open).toBe(0);
  const before = descriptors();
  for (let turn = 0; turn < 40; turn++) await probe();
  await expect.poll(descriptors).toBeLessThan(before + 20);
});
