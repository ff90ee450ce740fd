import { expect, test } from "vitest";
import { selfSigned } from "../../../test/certificates.ts";
import { type SmtpOptions, smtpServer } from "../../../test/smtp-server.ts";
import type { MailSettings } from "../../configuration/notify.ts";
import type { KeptEvent } from "../../control/events.ts";
import { mail } from "./mail.ts";
import { mailText } from "./mail-text.ts";

const SERVICE = "tcp:10.0.0.1:80";

function event(name: string, facts: object, message = "it happened"): KeptEvent {
  return {
    number: 1,
    name,
    text: JSON.stringify({ at: "2026-01-01T00:00:00Z", message, ...facts }),
  };
}

const DOWN = event("destination-down", {
  service: SERVICE,
  destination: "10.0.0.2:80",
  why: "connection refused",
});

const texts: [subject: string, first: string, told: KeptEvent][] = [
  [
    "Realserver [10.0.0.2]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN",
    "CHECK failed on service : connection refused",
    DOWN,
  ],
  [
    "Realserver [2001:db8::2]:none:80 of virtual server FWM 7 - UP",
    "CHECK succeed on service",
    event("destination-up", { service: "fwmark:7", destination: "[2001:db8::2]:80", why: "" }),
  ],
  [
    "Virtualserver [10.0.0.1]:tcp:80 - DOWN",
    "Lost quorum 3-1=2 > 1",
    event("quorum-lost", { service: SERVICE, sum: 1, quorum: 3, hysteresis: 1 }),
  ],
  [
    "Virtualserver [10.0.0.1]:tcp:80 - UP",
    "Gained quorum 3+1=4 <= 5",
    event("quorum-gained", { service: SERVICE, sum: 5, quorum: 3, hysteresis: 1 }),
  ],
  [
    "Virtualserver FWM 7 - DOWN",
    "Shutting down",
    event("quorum-lost", { service: "fwmark:7", sum: 0, quorum: 1, hysteresis: 0, atEnd: true }),
  ],
  ["the disk is full", "the disk is full", event("bug", { err: "ENOSPC" }, "the disk is full")],
  ["two lines", "two\r\nlines", event("bug", {}, "two\r\nlines")],
];

test.for(texts)("an event's subject and first line: %s", ([subject, first, told]) => {
  const { subject: written, text } = mailText("LVS1", [told]);
  expect(written).toBe(`[LVS1] ${subject}`);
  expect(text.startsWith(`=> ${first} <=\n\n${told.name}\n`)).toBe(true);
});

test("several events are one mail, with each one's lines", () => {
  const { subject, text } = mailText("LVS1", [DOWN, DOWN, texts[2]![2]]);
  expect(subject).toContain("- DOWN (and 2 more)");
  expect(text.match(/=> .* <=/g)).toHaveLength(3);
});

function telling(settings: Partial<MailSettings> & Pick<MailSettings, "server">) {
  const way = mail({
    to: ["admin@example.com", "root@localhost"],
    from: "lvs@example.com",
    name: "LVS1",
    tls: "offered",
    ...settings,
  });
  return way.tell([DOWN], AbortSignal.timeout(20_000));
}

async function toldWith(options: SmtpOptions, settings: Partial<MailSettings> = {}) {
  using server = await smtpServer(options);
  const why = await telling({ server: { host: "127.0.0.1", port: server.port }, ...settings });
  return { why, mails: server.mails, lines: server.lines };
}

test("a mail comes to all that it is for", async () => {
  const { why, mails, lines } = await toldWith({}, { helo: "lvs.example.com" });
  expect(why).toBeUndefined();
  expect(lines[0]).toBe("EHLO lvs.example.com");
  expect(mails).toHaveLength(1);
  const [{ from, to, text, isEncrypted }] = mails as [(typeof mails)[0]];
  expect({ from, to, isEncrypted }).toEqual({
    from: "lvs@example.com",
    to: ["admin@example.com", "root@localhost"],
    isEncrypted: false,
  });
  const unfolded = text.replaceAll(/\n[ \t]+/g, " ");
  expect(unfolded).toContain(
    "Subject: [LVS1] Realserver [10.0.0.2]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN\n",
  );
  expect(unfolded).toContain("\nX-Mailer: Sluice\n");
  expect(unfolded).toContain("=> CHECK failed on service : connection refused <=\n");
});

const IDENTITY = selfSigned("localhost");

test("TLS is taken where it is offered, whoever it is; or not at all", async () => {
  const offered = await toldWith({ identity: IDENTITY });
  expect(offered).toMatchObject({ why: undefined, mails: [{ isEncrypted: true }] });
  const never = await toldWith({ identity: IDENTITY }, { tls: "never" });
  expect(never).toMatchObject({ why: undefined, mails: [{ isEncrypted: false }] });
});

test("where TLS is required, a stranger's certificate or a server without it gets nothing", async () => {
  const login = { user: "lvs", password: "secret" };
  const stranger = await toldWith({ identity: IDENTITY }, { tls: "required", login });
  expect(stranger.why).toMatch(/self-signed/);
  expect(stranger.mails).toEqual([]);
  const without = await toldWith({}, { tls: "required", login });
  expect(without.why).toMatch(/502 not here/);
  expect([...stranger.lines, ...without.lines].filter((line) => line.startsWith("AUTH"))).toEqual(
    [],
  );
});

const refusals: [answers: SmtpOptions["answers"], why: RegExp][] = [
  [{ EHLO: "421 busy", HELO: "421 busy" }, /421 busy/],
  [{ RCPT: "550 no such user" }, /550 no such user/],
  [{ ".": "552 too big" }, /552 too big/],
];

test.for(refusals)("a server that answers %j: why is told", async ([answers, why]) => {
  expect((await toldWith({ answers: answers! })).why).toMatch(why);
});

test("a server that says nothing has its time, and nobody there is told at once", async () => {
  using server = await smtpServer({ answers: { EHLO: "" } });
  const settings: MailSettings = {
    to: ["a@b"],
    server: { host: "127.0.0.1", port: server.port },
    tls: "offered",
  };
  expect(await mail(settings).tell([DOWN], AbortSignal.timeout(50))).toBe("it took too long");
  const nobody = { ...settings, server: { host: "127.0.0.1", port: 1 } };
  expect(await mail(nobody).tell([DOWN], AbortSignal.timeout(20_000))).toMatch(/ECONNREFUSED/);
  expect(mail(nobody).name).toBe("mail to a@b by 127.0.0.1:1");
});
