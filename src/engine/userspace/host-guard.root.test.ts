import { spawn } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Conversation } from "../../../test/userspace/conversation.ts";
import { connect, Namespace, untilPrinted } from "../../../test/userspace/namespaces.ts";

const PROGRAM = new URL("../../../test/userspace/guarded-host.ts", import.meta.url).pathname;
const ACCEPTED = 0;
const REFUSED = 1;
const TIMED_OUT = 124;
const BYTES = 20_000_000;

/** Sends BYTES zeros to whoever connects to port 80. */
const SERVER = `
  require("node:net").createServer((socket) => socket.on("error", () => {}).end(Buffer.alloc(${BYTES})))
    .listen(80, "::", () => console.log("listening"));
`;

let host: Namespace;
let client: Namespace;
const connectTo = (port: number): number | null =>
  client.status(`exec 3<>/dev/tcp/10.0.0.100/${port}`);

beforeEach(async () => {
  host = new Namespace("host");
  client = new Namespace("client");
  connect(host, "eth0", client, "eth0");
  for (const command of [
    "sysctl -qw net.ipv4.conf.all.rp_filter=1",
    "ip addr add 10.0.0.1/24 dev eth0",
    "ip addr add 10.0.0.100/32 dev lo",
    "ip addr add 2001:db8::1/64 dev eth0 nodad",
    "ip addr add 2001:db8::100/128 dev lo",
  ]) {
    host.run(command);
  }
  client.run("ip addr add 10.0.0.2/24 dev eth0");
  client.run("ip addr add 2001:db8::2/64 dev eth0 nodad");
  client.run("ip route add 10.0.0.100 via 10.0.0.1");
  client.run("ip route add 2001:db8::100 via 2001:db8::1");
  await untilPrinted(host.start(process.execPath, "-e", SERVER), "listening");
});

afterEach(() => {
  host[Symbol.dispose]();
  client[Symbol.dispose]();
});

async function start(mode: "hand-back" | "keep"): Promise<Conversation> {
  const conversation = new Conversation(host.startNode(PROGRAM, mode));
  expect(await conversation.hear()).toBe("ready");
  return conversation;
}

test("the host does not see what is sent to a guarded endpoint, and sees the rest", async () => {
  const guarded = await start("keep");
  expect(await guarded.ask("guard 10.0.0.100:80")).toBe("done");
  expect([connectTo(80), connectTo(81)]).toEqual([TIMED_OUT, REFUSED]);
  expect(await guarded.ask("count")).toMatch(/^taken [1-9]/);
  expect(await guarded.ask("guard 10.0.0.100:81")).toBe("done");
  expect([connectTo(80), connectTo(81)]).toEqual([ACCEPTED, TIMED_OUT]);
  expect(await guarded.ask("guard 10.0.0.100:0")).toBe("done");
  expect([connectTo(80), connectTo(81)]).toEqual([TIMED_OUT, TIMED_OUT]);
  await guarded.end();
  expect([connectTo(80), connectTo(81)]).toEqual([ACCEPTED, REFUSED]);
  expect(host.run("nft list tables")).toBe("");
  expect(host.run("ip -br link")).not.toContain("sluice");
});

test("what is handed back is answered by the host", async () => {
  const guarded = await start("hand-back");
  expect(await guarded.ask("guard 10.0.0.100:80,10.0.0.100:81,[2001:db8::100]:80")).toBe("done");
  expect([connectTo(80), connectTo(81)]).toEqual([ACCEPTED, REFUSED]);
  for (const address of ["10.0.0.100", "2001:db8::100"]) {
    const fetched = client.status(`[ "$(wc -c < /dev/tcp/${address}/80)" = ${BYTES} ]`);
    expect(fetched).toBe(0);
  }
  expect(host.run("nstat -az TcpInCsumErrors")).toMatch(/TcpInCsumErrors +0 /);
});

test("what a server sends through the host is taken, what it sends to the host is not", async () => {
  using server = new Namespace("server");
  connect(host, "eth1", server, "eth0");
  host.run("ip addr add 10.1.0.1/24 dev eth1");
  host.run("sysctl -qw net.ipv4.ip_forward=1");
  server.run("ip addr add 10.1.0.2/24 dev eth0");
  server.run("ip route add default via 10.1.0.1");
  client.run("ip route add 10.1.0.0/24 via 10.0.0.1");
  const connectFrom = (from: Namespace): number | null =>
    from.status("exec 3<>/dev/tcp/10.1.0.2/22");
  const guarded = await start("keep");
  expect([connectFrom(host), connectFrom(client)]).toEqual([REFUSED, REFUSED]);
  expect(await guarded.ask("replies 10.1.0.2:22")).toBe("done");
  expect([connectFrom(host), connectFrom(client)]).toEqual([REFUSED, TIMED_OUT]);
});

test("a killed process leaves nothing in the packets' way, and the next one starts", async () => {
  const guarded = await start("keep");
  await guarded.ask("guard 10.0.0.100:80");
  expect(connectTo(80)).toBe(TIMED_OUT);
  await guarded.kill();
  // The kernel takes a dead owner's table down in its own time, which a busy machine makes long.
  await expect.poll(() => host.run("nft list tables"), { timeout: 10_000 }).toBe("");
  expect(connectTo(80)).toBe(ACCEPTED);
});

test("the next one after a killed process starts at once", async () => {
  const guarded = await start("keep");
  await guarded.ask("guard 10.0.0.100:80");
  await guarded.kill();
  const next = await start("hand-back");
  await next.ask("guard 10.0.0.100:80");
  expect(connectTo(80)).toBe(ACCEPTED);
});

test("when nft ends it is started again with the same rules", async () => {
  const guarded = await start("keep");
  await guarded.ask("guard 10.0.0.100:80");
  const pids = host.run(`ip netns pids ${host.name}`).trim().split("\n");
  const nft = pids.find((pid) => host.run(`cat /proc/${pid}/comm`).trim() === "nft");
  process.kill(Number(nft), "SIGKILL");
  expect(await guarded.hear()).toBe("lost");
  expect(await guarded.hear()).toBe("restored");
  expect(connectTo(80)).toBe(TIMED_OUT);
});

test("a second guard in the same namespace is refused in nft's words", async () => {
  await start("keep");
  const second = host.startNode(PROGRAM, "keep");
  await expect(untilPrinted(second, "ready")).rejects.toThrow(
    /Cannot guard services: Could not process rule: (File exists|Operation not permitted|Device or resource busy)/,
  );
});

test("many endpoints are guarded in portions, and few of them changed", async () => {
  const guarded = await start("keep");
  const many = Array.from({ length: 5_000 }, (_, index) => `10.7.${index >> 8}.${index & 255}:80`);
  expect(await guarded.ask(`guard ${many.join(",")},10.0.0.100:80`)).toBe("done");
  expect(connectTo(80)).toBe(TIMED_OUT);
  expect(await guarded.ask(`guard ${many.slice(1).join(",")},10.0.0.100:81`)).toBe("done");
  expect([connectTo(80), connectTo(81)]).toEqual([ACCEPTED, TIMED_OUT]);
});

test("all of it works for an ordinary user in a namespace of his own", async () => {
  const words = [
    "-Urn",
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    PROGRAM,
    "keep",
  ];
  const guarded = new Conversation(spawn("unshare", words));
  expect(await guarded.hear()).toBe("ready");
  expect(await guarded.ask("guard 10.0.0.100:80")).toBe("done");
  await guarded.end();
});
