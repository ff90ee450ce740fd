/** Checks over UDP: a datagram with its reply, and DNS. */
import { createSocket } from "node:dgram";
import { decode, encode, type Packet } from "dns-packet";
import fc from "fast-check";
import { expect, test } from "vitest";
import { impatient, serveTcp, serveUdp, soon, unusedPort } from "../../../test/loopback.ts";
import { dns } from "./dns.ts";
import type { DnsSettings } from "./dns-settings.ts";
import { udp } from "./udp.ts";
import type { UdpSettings } from "./udp-settings.ts";

// biome-ignore format: a table
const echoes: [what: string, settings: UdpSettings, up: boolean, why: string][] = [
  ["takes any reply", { payload: "ping", reply: true }, true, "a reply"],
  ["takes a reply that it need not have", { payload: "ping" }, true, "a reply"],
  ["takes a text that the reply begins with", { payload: "ping", reply: "pi" }, true, "a reply"],
  ["refuses another", { payload: "ping", reply: "pong" }, false, 'the reply begins with 70696e67, expected "pong"'],
  ["takes bytes", { payload: { hex: "00 0A ff" }, reply: { hex: "000a FF" } }, true, "a reply"],
  ["takes any digit for an X", { payload: { hex: "000aff" }, reply: { hex: "00 XA fX" } }, true, "a reply"],
  ["refuses another digit", { payload: { hex: "000aff" }, reply: { hex: "00X1" } }, false, 'the reply begins with 000aff, expected {"hex":"00X1"}'],
  ["refuses a reply that ends too soon", { payload: { hex: "00" }, reply: { hex: "00XX" } }, false, 'the reply begins with 00, expected {"hex":"00XX"}'],
  ["refuses a short reply", { payload: "ping", reply: true, replyBytesLeast: 5 }, false, "a reply of 4 bytes, expected 5 to 65507"],
  ["refuses a long reply", { payload: "ping", reply: true, replyBytesMost: 3 }, false, "a reply of 4 bytes, expected 0 to 3"],
  ["takes an empty reply", { reply: true }, true, "a reply"],
];

test.for(echoes)("udp %s", async ([, settings, up, why]) => {
  await using server = await serveUdp((message, { port, address }, socket) =>
    socket.send(message, port, address),
  );
  expect(await udp(server.target, settings, soon())).toEqual({ up, why });
});

test("udp is down when ICMP says that nobody listens", async () => {
  const target = await unusedPort();
  const outcome = { up: false, why: "ICMP: port unreachable" };
  expect(await udp(target, {}, soon())).toEqual(outcome);
  expect(await udp(target, { reply: true }, soon())).toEqual(outcome);
});

test("udp waits for a reply that must come, and takes silence when it need not", async () => {
  await using server = await serveUdp(() => {});
  expect(await udp(server.target, { reply: true }, impatient())).toEqual({
    up: false,
    why: "no answer in time, waited for a reply",
  });
  expect(await udp(server.target, {}, impatient())).toEqual({
    up: true,
    why: "not refused",
  });
});

type Reply = (query: Packet & { id: number }) => Buffer | undefined;

function serveDns(reply: Reply) {
  return serveUdp((message, { port, address }, socket) => {
    const bytes = reply(decode(message) as Packet & { id: number });
    if (bytes !== undefined) socket.send(bytes, port, address);
  });
}

/** The response code is in the flags' last four bits. */
const response = ({ id, questions }: Packet, answers: Packet["answers"] = [], rcode = 0): Buffer =>
  encode({ type: "response", id: id!, flags: rcode, questions: questions!, answers });

const zone: NonNullable<Packet["answers"]> = [
  { type: "A", name: "web.example", data: "192.0.2.2" },
  { type: "A", name: "web.example", data: "192.0.2.1" },
  { type: "AAAA", name: "web.example", data: "2001:db8::1" },
  { type: "MX", name: "web.example", data: { preference: 10, exchange: "Mail.example" } },
  { type: "TXT", name: "web.example", data: ["a long ", "text"] },
];

// biome-ignore format: a table
const questions: [what: string, settings: DnsSettings, answers: Packet["answers"], rcode: number, up: boolean, why: string][] = [
  ["takes a response without answers", {}, [], 0, true, "responds"],
  ["tells the answers in their order", { name: "web.example", query: "A" }, zone.slice(0, 2), 0, true, "answers 192.0.2.1, 192.0.2.2"],
  ["takes an address", { name: "web.example", query: "A", answers: ["192.0.2.1"] }, zone, 0, true, ""],
  ["takes an address of IPv6 in another spelling", { query: "AAAA", answers: ["2001:DB8:0::1"] }, zone, 0, true, ""],
  ["takes a mail exchange", { query: "MX", answers: ["10 mail.example."] }, zone, 0, true, ""],
  ["takes a text", { query: "TXT", answers: ["a long text"] }, zone, 0, true, ""],
  ["refuses other answers", { query: "A", answers: ["192.0.2.1", "192.0.2.9"] }, zone.slice(0, 2), 0, false, 'no "192.0.2.9" among the answers: they are "192.0.2.1, 192.0.2.2"'],
  ["refuses no answers", { query: "A", answers: ["192.0.2.9"] }, [], 0, false, 'no "192.0.2.9" among the answers: there are none'],
  ["refuses a server that fails", {}, [], 2, false, "response code SERVFAIL, expected NOERROR"],
  ["takes the response code that it is told", { rcode: "NXDOMAIN" }, [], 3, true, "responds"],
];

test.for(questions)("dns %s", async ([, settings, answers, rcode, up, why]) => {
  await using server = await serveDns((query) => response(query, answers, rcode));
  const outcome = await dns(server.target, settings, soon());
  expect(outcome.up).toBe(up);
  if (why !== "") expect(outcome.why).toBe(why);
});

test("dns asks for what it is told", async () => {
  const asked: Packet[] = [];
  await using server = await serveDns((query) => {
    asked.push(query);
    return response(query);
  });
  await dns(server.target, {}, soon());
  await dns(server.target, { name: "web.example.", query: "MX", recursion: false }, soon());
  expect(
    asked.map(({ questions: of, flag_rd: desired }: Packet & { flag_rd?: boolean }) => [
      of,
      desired,
    ]),
  ).toEqual([
    [[{ name: ".", type: "SOA", class: "IN" }], true],
    [[{ name: "web.example", type: "MX", class: "IN" }], false],
  ]);
});

test("dns takes no response to another question for its own", async () => {
  await using server = await serveDns((query) => response({ ...query, id: query.id ^ 1 }));
  expect((await dns(server.target, {}, impatient())).why).toBe(
    "no answer in time, waited for a response",
  );
});

test("dns is down when ICMP says that nobody listens", async () => {
  expect(await dns(await unusedPort(), {}, soon())).toEqual({
    up: false,
    why: "ICMP: port unreachable",
  });
});

test("dns has an outcome whatever a server sends", async () => {
  let damage: (bytes: Buffer) => Buffer = (bytes) => bytes;
  await using server = await serveDns((query) => damage(response(query, zone)));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 8 }),
      fc.nat(200),
      async (changes, length) => {
        damage = (bytes) => {
          const damaged = Buffer.from(bytes.subarray(0, 2 + length));
          // A name that points at itself, among others; the identifier stays, so that it is read.
          for (const [at, value] of changes) if (at >= 2) damaged[at % damaged.length || 2] = value;
          return damaged;
        };
        const signal = AbortSignal.timeout(20);
        const outcome = await dns(server.target, { answers: ["192.0.2.1"] }, signal);
        expect(outcome.why).toMatch(/^[^\p{Cc}]+$/u);
      },
    ),
    { numRuns: 50 },
  );
});

test("dns asks over TCP when it is told so, and when an answer did not fit", async () => {
  const answers = Array.from({ length: 200 }, (_, index) => ({
    type: "A" as const,
    name: "web.example",
    data: `192.0.2.${index}`,
  }));
  const heard: number[] = [];
  await using server = await serveTcp((socket) => {
    socket.on("data", (bytes) => {
      const query = decode(bytes.subarray(2));
      heard.push(bytes.readUInt16BE(0));
      const message = response(query, answers);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      // In pieces, as TCP may have it.
      socket.write(Buffer.concat([length, message.subarray(0, 100)]));
      setTimeout(() => socket.write(message.subarray(100)), 10);
    });
  });
  const settings: DnsSettings = { name: "web.example", query: "A", answers: ["192.0.2.199"] };
  expect((await dns(server.target, { ...settings, transport: "tcp" }, soon())).up).toBe(true);
  await expect.poll(server.open).toBe(0);

  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(server.target.port, "127.0.0.1", resolve));
  const TRUNCATED = 0x200;
  socket.on("message", (message, from) => {
    const { id, questions: of } = decode(message);
    const answer = encode({ type: "response", id: id!, flags: TRUNCATED, questions: of! });
    socket.send(answer, from.port, from.address);
  });
  expect((await dns(server.target, settings, soon())).up).toBe(true);
  expect(heard).toEqual([29, 29]);
  socket.close();
});

test("dns over TCP takes no response to another question for its own", async () => {
  await using server = await serveTcp((socket) => {
    socket.on("data", (bytes) => {
      const query = decode(bytes.subarray(2));
      const message = response({ ...query, id: query.id! ^ 1 });
      socket.write(Buffer.concat([Buffer.from([0, message.length]), message]));
    });
  });
  expect(await dns(server.target, { transport: "tcp" }, soon())).toEqual({
    up: false,
    why: "not a response to the question, over TCP",
  });
});
