import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Conversation } from "../../../../test/userspace/conversation.ts";
import { connect, Namespace, untilPrinted } from "../../../../test/userspace/namespaces.ts";

const PROGRAM = new URL("../../../../test/userspace/forwarder.ts", import.meta.url).pathname;
const BYTES = 100_000_000;
const PINGS = 100;
/** Longer than anything may wait. */
const STOPPED_MS = 2_500;

/** Answers a connection on port 80 with the hash of what it received. */
const SERVER = `
  const { createHash } = require("node:crypto");
  require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
    const hash = createHash("md5");
    socket.on("data", (bytes) => hash.update(bytes)).on("end", () => socket.end(hash.digest("hex")));
  }).listen(80, () => console.log("listening"));
`;

/** Sends BYTES random bytes there, and prints their hash and the answer. */
const CLIENT = `
  const { createHash, randomBytes } = require("node:crypto");
  const bytes = randomBytes(${BYTES});
  const socket = require("node:net").connect(80, "10.0.0.2").end(bytes).setEncoding("utf8");
  let answer = "";
  socket.on("data", (text) => { answer += text; });
  socket.on("end", () => console.log(createHash("md5").update(bytes).digest("hex"), answer, "."));
`;

let left: Namespace;
let middle: Namespace;
let right: Namespace;

/** left - middle - right; middle's interfaces have the addresses of those whom they stand for. */
beforeEach(() => {
  left = new Namespace("left");
  middle = new Namespace("middle");
  right = new Namespace("right");
  connect(left, "eth0", middle, "to-left");
  connect(right, "eth0", middle, "to-right");
  left.run("ip link set eth0 address 02:00:00:00:00:01");
  middle.run("ip link set to-right address 02:00:00:00:00:01");
  right.run("ip link set eth0 address 02:00:00:00:00:02");
  middle.run("ip link set to-left address 02:00:00:00:00:02");
  left.run("ip addr add 10.0.0.1/24 dev eth0");
  right.run("ip addr add 10.0.0.2/24 dev eth0");
});

afterEach(() => {
  for (const namespace of [left, middle, right]) namespace[Symbol.dispose]();
});

async function startWire(): Promise<Conversation & { readonly pid: number }> {
  const program = middle.startNode(PROGRAM, "to-left", "to-right");
  const wire = new Conversation(program);
  expect(await wire.hear()).toBe("ready");
  return Object.assign(wire, { pid: program.pid! });
}

test("super-packets go through as they are, and every byte arrives", async () => {
  const wire = await startWire();
  await untilPrinted(right.start(process.execPath, "-e", SERVER), "listening");
  const printed = await untilPrinted(left.start(process.execPath, "-e", CLIENT), ".");
  const [sent, received] = printed.split(" ");
  expect(received).toBe(sent);
  for (const end of [left, right]) {
    expect(end.run("nstat -az TcpInCsumErrors")).toMatch(/TcpInCsumErrors +0 /);
  }
  const { ring, transmit, largest } = JSON.parse(await wire.ask("report"));
  expect(largest).toBeGreaterThan(60_000);
  expect(ring.truncated).toBe(0);
  expect(transmit.failed).toEqual({});
  expect(transmit.sent + transmit.congested).toBe(ring.received);
  // As frames of the wire's size it would have been ten times as many.
  expect(ring.received).toBeLessThan(BYTES / 1448 / 2);
});

test("frames that cannot be sent are counted by their reason", async () => {
  const wire = await startWire();
  expect(left.status("ping -c 1 10.0.0.2")).toBe(0);
  // The neighbours must be known while the wire is cut.
  left.run("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0 nud permanent");
  middle.run("ip link set to-right down");
  left.status("ping -c 1 -W 1 10.0.0.2");
  const { transmit } = JSON.parse(await wire.ask("report"));
  expect(transmit.failed.ENETDOWN).toBeGreaterThan(0);
});

test("an interface that was down is heard again", async () => {
  await startWire();
  const ping = () => left.status("ping -c 1 -W 1 10.0.0.2");
  expect(ping()).toBe(0);
  for (const name of ["to-left", "to-right"]) middle.run(`ip link set ${name} down`);
  expect(ping()).not.toBe(0);
  for (const name of ["to-left", "to-right"]) middle.run(`ip link set ${name} up`);
  await expect.poll(ping, { timeout: 10_000 }).toBe(0);
});

test("what waited while the process stood still is thrown away, and counted", async () => {
  const wire = await startWire();
  expect(left.status("ping -c 1 10.0.0.2")).toBe(0);
  left.run("ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0 nud permanent");
  const { ring: before } = JSON.parse(await wire.ask("report"));
  expect(before.stale).toBe(0);
  process.kill(wire.pid, "SIGSTOP");
  left.status(`ping -c ${PINGS} -i 0.002 -W 1 10.0.0.2`);
  await sleep(STOPPED_MS);
  process.kill(wire.pid, "SIGCONT");
  const stale = async () => JSON.parse(await wire.ask("report")).ring.stale;
  await expect.poll(stale, { timeout: 10_000 }).toBeGreaterThanOrEqual(PINGS);
  expect(left.status("ping -c 1 10.0.0.2")).toBe(0);
});
