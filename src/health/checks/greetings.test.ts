/** What servers that say who they are say, and what is made of it: SMTP, Redis, PostgreSQL, MySQL. */
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { serveTcp, soon } from "../../../test/loopback.ts";
import { mysql } from "./mysql.ts";
import { postgres } from "./postgres.ts";
import { redis } from "./redis.ts";
import { ownName, smtp } from "./smtp.ts";

type Say = string | Buffer;

/** Says the first at once if there is one, then another for each piece that it is sent; at the end it closes. */
function script(heard: string[], greeting: Say | undefined, ...answers: readonly Say[]) {
  return (socket: Socket) => {
    const left = [...answers];
    if (greeting !== undefined) socket.write(greeting);
    socket.on("data", (bytes) => {
      heard.push(bytes.toString("latin1"));
      const answer = left.shift();
      if (answer === undefined) socket.end();
      else socket.write(answer);
    });
  };
}

// biome-ignore format: a table
const mail: [what: string, greeting: Say, answers: Say[], up: boolean, why: string][] = [
  ["takes a greeting and a HELO", "220 mail.example ESMTP\r\n", ["250 hello\r\n"], true, "greeted, and answered HELO"],
  ["takes several lines", "220-mail\r\n220-is\r\n220 here\r\n", ["250-hello\r\n250 SIZE\r\n"], true, "greeted, and answered HELO"],
  ["refuses a server that is busy", "421 too busy\r\n", [], false, 'the greeting is "421 too busy"'],
  ["refuses a server that does not know us", "220 mail\r\n", ["550 who?\r\n"], false, 'the answer to HELO is "550 who?"'],
  ["refuses a server that is something else", "SSH-2.0-x\r\n", [], false, 'the greeting is "SSH-2.0-x"'],
  ["takes what Exim says", "220 mail.test ESMTP Exim 4.96 Sat, 28 Nov 2026 12:34:48 +0000\r\n", ["250 mail.test Hello lb.example [127.0.0.1]\r\n"], true, "greeted, and answered HELO"],
  ["refuses an Exim that is full", "421 Too many concurrent SMTP connections; please try again later.\r\n", [], false, 'the greeting is "421 Too many concurrent SMTP connections; please try again later."'],
  ["refuses a Postfix that wants a whole name", "220 mail.test ESMTP Postfix\r\n", ["504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname\r\n"], false, 'the answer to HELO is "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname"'],
  ["refuses a server that leaves", "220 mail\r\n", [], false, "the server closed the connection instead of the answer to HELO"],
];

test.for(mail)("smtp %s", async ([, greeting, answers, up, why]) => {
  const heard: string[] = [];
  await using server = await serveTcp(script(heard, greeting, ...answers));
  expect(await smtp(server.target, { helo: "lb.example" }, soon())).toEqual({ up, why });
  await expect.poll(server.open).toBe(0);
  if (up) expect(heard).toEqual(["HELO lb.example\r\n", "QUIT\r\n"]);
});

// biome-ignore format: a table
const names: [host: string, address: string | undefined, name: string][] = [
  ["lb.example.com", "192.0.2.1", "lb.example.com"],
  ["lb",             "192.0.2.1", "[192.0.2.1]"],
  ["lb_1.example",   "192.0.2.1", "[192.0.2.1]"],
  ["lb",             "2001:db8::1", "[IPv6:2001:db8::1]"],
  ["lb",             undefined,   "lb"],
];

test.for(names)("smtp: host %s at %s says hello as %s", ([host, address, name]) => {
  expect(ownName(host, address)).toBe(name);
});

test("smtp takes a greeting that comes in pieces", async () => {
  await using server = await serveTcp((socket) => {
    socket.setNoDelay();
    for (const [index, letter] of "220-a\r\n220 b\r\n".split("").entries()) {
      setTimeout(() => socket.write(letter), index);
    }
    socket.once("data", () => {
      socket.write("250 hello\r\n");
      socket.once("data", () => socket.write("221 bye\r\n"));
    });
  });
  expect((await smtp(server.target, {}, soon())).up).toBe(true);
});

// biome-ignore format: a table
const caches: [what: string, role: "master" | "replica" | undefined, answers: string[], up: boolean, why: string][] = [
  ["takes a PONG", undefined, ["+PONG\r\n"], true, "PONG"],
  ["takes a server that wants a password", undefined, ["-NOAUTH Authentication required.\r\n"], true, "answers, asks for a password"],
  ["refuses a server that still loads", undefined, ["-LOADING Redis is loading the dataset in memory\r\n"], false, 'the answer to PING is "-LOADING Redis is loading the dataset in memory"'],
  ["takes a master", "master", ["+PONG\r\n", "*3\r\n$6\r\nmaster\r\n:3129659\r\n*0\r\n"], true, "master"],
  ["takes a replica", "replica", ["+PONG\r\n", "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:9000\r\n$9\r\nconnected\r\n:1\r\n"], true, "replica"],
  ["refuses a replica that should be master", "master", ["+PONG\r\n", "*5\r\n$5\r\nslave\r\n"], false, "is replica, expected master"],
  ["refuses who does not say what it is", "master", ["+PONG\r\n", "-NOAUTH Authentication required.\r\n"], false, 'the answer to ROLE is "-NOAUTH Authentication required."'],
];

test.for(caches)("redis %s", async ([, role, answers, up, why]) => {
  await using server = await serveTcp(script([], undefined, ...answers));
  const settings = role === undefined ? {} : { role };
  expect(await redis(server.target, settings, soon())).toEqual({ up, why });
  await expect.poll(server.open).toBe(0);
});

function postgresMessage(type: string, body: string): Buffer {
  const head = Buffer.from(`${type}....`);
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, Buffer.from(body)]);
}

const postgresError = (code: string, message: string) =>
  postgresMessage("E", `SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);

// biome-ignore format: a table
const databases: [what: string, answer: Say, up: boolean, why: string][] = [
  ["takes a server that asks for a password", postgresMessage("R", "\0\0\0\x0aSCRAM-SHA-256\0\0"), true, "begins a session"],
  ["takes a server that lets us in", postgresMessage("R", "\0\0\0\0"), true, "begins a session"],
  ["takes a server that does not want us", postgresError("28000", "no pg_hba.conf entry for host"), true, 'answers: "no pg_hba.conf entry for host"'],
  ["refuses a server that starts", postgresError("57P03", "the database system is starting up"), false, 'error 57P03: "the database system is starting up"'],
  ["refuses a server that is full", postgresError("53300", "sorry, too many clients already"), false, 'error 53300: "sorry, too many clients already"'],
  ["refuses a server that is something else", "HTTP/1.1 400 Bad Request\r\n\r\n", false, "not an answer of PostgreSQL"],
  ["refuses a message that is too long", "E\x7f\0\0\0SFATAL", false, "not an answer of PostgreSQL"],
  ["refuses a message of a wrong kind", postgresMessage("Z", "I"), false, "not an answer of PostgreSQL"],
  ["refuses a server that dies in the middle", postgresMessage("R", "\0\0\0\0").subarray(0, 6), false, "the server closed the connection instead of the answer to a session's start"],
];

test.for(databases)("postgres %s", async ([, answer, up, why]) => {
  const heard: string[] = [];
  await using server = await serveTcp((socket) => {
    socket.on("data", (bytes) => {
      heard.push(bytes.toString("latin1"));
      if (heard.length === 1 && answer.length > 8) socket.write(answer);
      else socket.end(heard.length === 1 ? answer : "");
    });
  });
  expect(await postgres(server.target, { user: "lb", database: "shop" }, soon())).toEqual({
    up,
    why,
  });
  await expect.poll(server.open).toBe(0);
  expect(heard[0]).toBe("\0\0\0\x1f\0\x03\0\0user\0lb\0database\0shop\0\0");
  if (why === "begins a session") expect(heard[1]).toBe("X\0\0\0\x04");
});

function mysqlPacket(sequence: number, payload: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, Buffer.from(payload, "latin1")]);
}

const GREETING = mysqlPacket(
  0,
  `\x0a8.4.3\0\x07\0\0\0${"s".repeat(8)}\0\xff\xf7\x2d\x02\0\xff\xdf`,
);
const OK = mysqlPacket(2, "\0\0\0\x02\0\0\0");
const SWITCH = mysqlPacket(2, `\xfecaching_sha2_password\0${"s".repeat(20)}\0`);

// biome-ignore format: a table
const others: [what: string, user: string | undefined, answers: Say[], up: boolean, why: string][] = [
  ["takes a greeting", undefined, [GREETING], true, 'version "8.4.3"'],
  ["refuses a server that is full", undefined, [mysqlPacket(0, "\xff\x10\x04Too many connections")], false, 'error 1040: "Too many connections"'],
  ["refuses a server that has blocked us", undefined, [mysqlPacket(0, "\xff\x69\x04Host '10.0.0.1' is blocked")], false, "error 1129: \"Host '10.0.0.1' is blocked\""],
  ["refuses a server that is something else", undefined, ["SSH-2.0-OpenSSH_9.2\r\n"], false, "not a packet of MySQL"],
  ["refuses another protocol", undefined, [mysqlPacket(0, "\x09old\0")], false, "not a greeting of MySQL"],
  ["logs in and out", "lb", [GREETING, OK], true, 'version "8.4.3"'],
  ["logs in by another plugin", "lb", [GREETING, SWITCH, mysqlPacket(4, "\0\0\0\x02\0\0\0")], true, 'version "8.4.3"'],
  ["refuses a server that does not let us in", "lb", [GREETING, mysqlPacket(2, "\xff\x15\x04#28000Access denied for user 'lb'")], false, "error 1045: \"Access denied for user 'lb'\""],
  ["refuses a server that wants a password", "lb", [GREETING, SWITCH, mysqlPacket(4, "\x01\x04")], false, 'user "lb" needs a password'],
];

/** As MariaDB 10.11.19 said it. */
const MARIADB = {
  greeting:
    "640000000a352e352e352d31302e31312e31392d4d6172696144422d302b64656231327531002b0000007a69236c793e666600feff080200ff81150000000000001d0000004d31495a6c2f4346712c2368006d7973716c5f6e61746976655f70617373776f726400",
  in: "0700000200000002000000",
  denied:
    "49000002ff15042332383030304163636573732064656e69656420666f72207573657220277365637265742740276c6f63616c686f73742720287573696e672070617373776f72643a204e4f29",
  locked:
    "2e000002ff37102348593030304163636573732064656e6965642c2074686973206163636f756e74206973206c6f636b6564",
  full: "17000000ff1004546f6f206d616e7920636f6e6e656374696f6e73",
} as const;

// biome-ignore format: a table
const recorded: [what: string, user: string | undefined, answers: (keyof typeof MARIADB)[], up: boolean, why: string][] = [
  ["takes MariaDB, by its own version", undefined, ["greeting"], true, 'version "10.11.19-MariaDB-0+deb12u1"'],
  ["is let in by MariaDB", "probe", ["greeting", "in"], true, 'version "10.11.19-MariaDB-0+deb12u1"'],
  ["refuses a MariaDB that wants a password", "secret", ["greeting", "denied"], false, "error 1045: \"Access denied for user 'secret'@'localhost' (using password: NO)\""],
  ["refuses a MariaDB that has the user locked", "locked", ["greeting", "locked"], false, 'error 4151: "Access denied, this account is locked"'],
  ["refuses a MariaDB that is full", "probe", ["full"], false, 'error 1040: "Too many connections"'],
];

test.for(recorded)("mysql %s", async ([, user, answers, up, why]) => {
  const [greeting, ...rest] = answers.map((each) => Buffer.from(MARIADB[each], "hex"));
  await using server = await serveTcp(script([], greeting, ...rest));
  const settings = user === undefined ? {} : { user };
  expect(await mysql(server.target, settings, soon())).toEqual({ up, why });
});

test.for(others)("mysql %s", async ([, user, answers, up, why]) => {
  const heard: string[] = [];
  const [greeting, ...rest] = answers;
  await using server = await serveTcp(script(heard, greeting, ...rest));
  const settings = user === undefined ? {} : { user };
  expect(await mysql(server.target, settings, soon())).toEqual({ up, why });
  await expect.poll(server.open).toBe(0);
  if (user !== undefined && up) {
    expect(heard[0]!.slice(1, 4)).toBe("\0\0\x01");
    expect(heard[0]!.slice(36)).toBe("lb\0\0mysql_native_password\0");
    expect(heard.at(-1)).toBe("\x01\0\0\0\x01");
    if (heard.length === 3) expect(heard[1]).toBe("\x01\0\0\x03\0");
  }
});
