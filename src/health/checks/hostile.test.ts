/** What every kind of check over TCP makes of servers that are not what they should be. */
import type { Socket } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { impatient, sendForEver, serveTcp, soon, unusedPort } from "../../../test/loopback.ts";
import type { Outcome, ProbeTarget } from "../checker.ts";
import { dns } from "./dns.ts";
import { grpc } from "./grpc.ts";
import { http, https } from "./http.ts";
import { mysql } from "./mysql.ts";
import { postgres } from "./postgres.ts";
import { redis } from "./redis.ts";
import { smtp } from "./smtp.ts";
import { tls } from "./tls.ts";

type Probe = (target: ProbeTarget, signal: AbortSignal) => Promise<Outcome>;

const kinds: [kind: string, probe: Probe][] = [
  ["http", (target, signal) => http(target, { body: { contains: "well" } }, signal)],
  ["http 2", (target, signal) => http(target, { version: "2" }, signal)],
  ["https", (target, signal) => https(target, {}, signal)],
  ["tls", (target, signal) => tls(target, {}, signal)],
  ["grpc", (target, signal) => grpc(target, {}, signal)],
  ["grpc over tls", (target, signal) => grpc(target, { tls: true }, signal)],
  ["smtp", (target, signal) => smtp(target, {}, signal)],
  ["smtp by starttls", (target, signal) => smtp(target, { tls: "starttls" }, signal)],
  ["postgres over tls", (target, signal) => postgres(target, { tls: true }, signal)],
  ["mysql over tls", (target, signal) => mysql(target, { tls: true }, signal)],
  ["redis over tls", (target, signal) => redis(target, { tls: true }, signal)],
  ["dns over tcp", (target, signal) => dns(target, { transport: "tcp" }, signal)],
  ["redis", (target, signal) => redis(target, { role: "master" }, signal)],
  ["postgres", (target, signal) => postgres(target, {}, signal)],
  ["mysql", (target, signal) => mysql(target, { user: "sluice" }, signal)],
];

test.for(kinds)("%s says that a connection was refused", async ([, probe]) => {
  const outcome = await probe(await unusedPort(), soon());
  expect(outcome).toEqual({ up: false, why: "connection refused" });
});

test.for(kinds)(
  "%s gives up a server that takes connections and says nothing",
  async ([, probe]) => {
    await using server = await serveTcp(() => {});
    const outcome = await probe(server.target, impatient());
    expect(outcome.up).toBe(false);
    expect(outcome.why).toMatch(/^no answer in time, waited for /);
    await expect.poll(server.open).toBe(0);
  },
);

test.for(kinds)("%s does not begin when its time is over already", async ([, probe]) => {
  await using server = await serveTcp(() => {});
  expect((await probe(server.target, AbortSignal.abort())).up).toBe(false);
  await expect.poll(server.open).toBe(0);
});

const faults: [what: string, answer: (socket: Socket) => void][] = [
  ["closes at once", (socket) => socket.end()],
  ["resets at once", (socket) => socket.resetAndDestroy()],
  ["resets when it is spoken to", (socket) => socket.once("data", () => socket.resetAndDestroy())],
  ["says what it should not", (socket) => socket.end("Go away!\r\n\r\n")],
  ["sends zeros for ever", (socket) => sendForEver(socket, Buffer.alloc(1_024))],
  ["sends one line for ever", (socket) => sendForEver(socket, "2".repeat(1_024))],
  ["sends lines for ever", (socket) => sendForEver(socket, "220-well\r\n")],
];

for (const [what, answer] of faults) {
  test.for(kinds)(`%s is down when the server ${what}`, async ([, probe]) => {
    await using server = await serveTcp(answer);
    // Whose server speaks first waits for it.
    const outcome = await probe(server.target, impatient());
    expect(outcome.up).toBe(false);
    expect(outcome.why).not.toBe("");
    expect(outcome.why.length).toBeLessThanOrEqual(200);
    await expect.poll(server.open).toBe(0);
    // What lies in the buffers of two sockets, and not what the server would have sent.
    expect(server.sentBytes()).toBeLessThan(64 * 1_048_576);
  });
}

test.for(kinds)("%s has an outcome whatever a server sends", async ([, probe]) => {
  let bytes = new Uint8Array();
  await using server = await serveTcp((socket) => socket.end(bytes));
  const beginnings = ["", "220 ", "+", "*3\r\n", "E", "R", "\x0a\0\0\0\x0a", "HTTP/1.1 200 OK\r\n"];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...beginnings),
      fc.uint8Array({ maxLength: 400 }),
      async (beginning, rest) => {
        bytes = Buffer.concat([Buffer.from(beginning, "latin1"), rest]);
        const outcome = await probe(server.target, soon());
        expect(typeof outcome.up).toBe("boolean");
        expect(outcome.why).toMatch(/^[^\p{Cc}]+$/u);
      },
    ),
    { numRuns: 25 },
  );
});
