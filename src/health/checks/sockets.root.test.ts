/** How probes' sockets leave a host, and pings: on a wire between two namespaces. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { Conversation } from "../../../test/userspace/conversation.ts";
import { connect, Namespace, untilPrinted } from "../../../test/userspace/namespaces.ts";
import type { Outcome, ProbeSource } from "../checker.ts";

const PROGRAM = new URL("../../../test/userspace/probe-process.ts", import.meta.url).pathname;

const FOUR = "10.0.0.2";
const SIX = "2001:db8::2";

/** Answers at port 80 and 53 with who asks. */
const SERVER = `
  const greet = (socket) => {
    const { remoteAddress, remotePort } = socket;
    socket.on("error", () => {}).on("data", () => socket.write("+PONG\\r\\n"));
    // Who has gone already has no address any more.
    if (remoteAddress) console.log("tcp " + remoteAddress.replace("::ffff:", "") + " " + remotePort);
  };
  const http = require("node:http");
  http.createServer((_, response) => response.end("well")).listen(8080, "::");
  require("node:net").createServer(greet).listen(80, "::", () => console.log("listening"));
  const datagrams = require("node:dgram").createSocket("udp6").bind(53, "::");
  datagrams.on("message", (message, { address, port }) => {
    console.log("udp " + address.replace("::ffff:", "") + " " + port);
    datagrams.send(message, port, address);
  });
`;

let director: Namespace;
let server: Namespace;
let prober: Conversation;
let heard = "";

beforeEach(async () => {
  director = new Namespace("director");
  server = new Namespace("server");
  connect(director, "eth0", server, "eth0");
  for (const [host, end] of [
    [director, 1],
    [server, 2],
  ] as const) {
    host.batch([
      `addr add 10.0.0.${end}/24 dev eth0`,
      `addr add 2001:db8::${end}/64 dev eth0 nodad`,
    ]);
  }
  director.run("ip addr add 10.0.0.7/24 dev eth0");
  const listening = server.start(process.execPath, "-e", SERVER);
  heard = "";
  listening.stdout.on("data", (text) => {
    heard += text;
  });
  await untilPrinted(listening, "listening");
  const probing = director.startNode(PROGRAM);
  await untilPrinted(probing, "ready");
  prober = new Conversation(probing);
});

afterEach(() => {
  director[Symbol.dispose]();
  server[Symbol.dispose]();
});

async function probe(
  type: string,
  address: string,
  source?: ProbeSource,
  settings: object = {},
  timeoutMs = 10_000,
): Promise<Outcome> {
  const port = { udp: 53, http: 8080 }[type] ?? 80;
  const target = { address, port, ...(source && { source }) };
  return JSON.parse(await prober.ask(JSON.stringify({ type, target, settings, timeoutMs })));
}

test.for([FOUR, SIX])("icmp pings %s", async (address) => {
  const up = { up: true, why: "echo reply" };
  // Without a socket of its own kind for it, then with.
  director.run("sysctl -qw net.ipv4.ping_group_range=1\t0");
  expect(await probe("icmp", address)).toEqual(up);
  expect(await probe("icmp", address, { mark: 7 }, { payloadBytes: 1_232 })).toEqual(up);
  director.run("sysctl -qw net.ipv4.ping_group_range=0\t0");
  expect(await probe("icmp", address)).toEqual(up);
  expect(await probe("icmp", address, undefined, { payloadBytes: 16 })).toEqual(up);
});

test("icmp and udp tell silence from what a router says, and from no neighbour", async () => {
  server.run("sysctl -qw net.ipv4.icmp_echo_ignore_all=1");
  const silence = { up: false, why: "no answer in time, waited for an echo reply" };
  expect(await probe("icmp", FOUR, undefined, {}, 300)).toEqual(silence);

  server.run("sysctl -qw net.ipv4.ip_forward=1");
  director.run("sysctl -qw net.ipv4.neigh.eth0.mcast_solicit=1");
  server.run("ip route add unreachable 10.9.0.0/24");
  director.run(`ip route add 10.9.0.0/24 via ${FOUR}`);
  for (const type of ["icmp", "udp"]) {
    for (const address of ["10.9.0.1", "10.0.0.99"]) {
      expect(await probe(type, address)).toEqual({ up: false, why: "host unreachable" });
    }
    expect((await probe(type, "10.8.0.1")).why).toBe("network unreachable");
  }
});

test.for([FOUR, SIX])(
  "probes of %s leave by the port that they are told, again and again",
  async (address) => {
    const own = address === FOUR ? "10.0.0.1" : "2001:db8::1";
    const source = { port: 61_000 };
    for (let turn = 0; turn < 3; turn++) {
      expect(await probe("tcp", address, source)).toEqual({ up: true, why: "connected" });
      expect(await probe("redis", address, source)).toEqual({ up: true, why: "PONG" });
      expect(await probe("http", address, source)).toEqual({ up: true, why: "status 200" });
      expect(await probe("udp", address, source, { reply: true })).toEqual({
        up: true,
        why: "a reply",
      });
    }
    await expect.poll(() => heard.match(/udp/g)?.length).toBe(3);
    const lines = new Set(heard.trim().split("\n").slice(1));
    expect(lines).toEqual(new Set([`tcp ${own} 61000`, `udp ${own} 61000`]));
  },
);

test("probes leave with the mark and the address that they are told", async () => {
  const source = { mark: 0x9000_0007, address: "10.0.0.7", port: 61_001 };
  director.run("nft add table ip probes");
  director.run("nft add chain ip probes out { type filter hook output priority 0 ; }");
  director.run("nft add rule ip probes out meta mark 0x90000007 counter accept");
  director.run("nft add rule ip probes out drop");
  for (const type of ["tcp", "redis", "udp", "icmp"]) {
    expect((await probe(type, FOUR, source, type === "udp" ? { reply: true } : {})).up).toBe(true);
    expect((await probe(type, FOUR, undefined, {}, 300)).up).toBe(false);
  }
  const lines = new Set(heard.trim().split("\n").slice(1));
  expect(lines).toEqual(new Set(["tcp 10.0.0.7 61001", "udp 10.0.0.7 61001"]));
});
