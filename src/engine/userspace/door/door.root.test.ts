/** The door in real namespaces: a client, a host whose door is open, a server behind it. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Conversation } from "../../../../test/userspace/conversation.ts";
import { connect, Namespace, untilPrinted } from "../../../../test/userspace/namespaces.ts";

const PROGRAM = new URL("../../../../test/userspace/door-host.ts", import.meta.url).pathname;
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
let server: Namespace;
const connectTo = (port: number, address = "10.0.0.100"): number | null =>
  client.status(`exec 3<>/dev/tcp/${address}/${port}`);

beforeEach(async () => {
  host = new Namespace("host");
  client = new Namespace("client");
  server = new Namespace("server");
  connect(host, "eth0", client, "eth0");
  connect(host, "eth1", server, "eth0");
  host.run("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.ip_forward=1");
  host.batch([
    "addr add 10.0.0.1/24 dev eth0",
    "addr add 10.0.0.100/32 dev lo",
    "addr add 2001:db8::1/64 dev eth0 nodad",
    "addr add 2001:db8::100/128 dev lo",
    "addr add 10.1.0.1/24 dev eth1",
  ]);
  client.batch([
    "addr add 10.0.0.2/24 dev eth0",
    "addr add 2001:db8::2/64 dev eth0 nodad",
    "route add default via 10.0.0.1",
    "route add 2001:db8::100 via 2001:db8::1",
  ]);
  server.batch(["addr add 10.1.0.2/24 dev eth0", "route add default via 10.1.0.1"]);
  await untilPrinted(host.start(process.execPath, "-e", SERVER), "listening");
});

afterEach(() => {
  for (const each of [host, client, server]) each[Symbol.dispose]();
});

async function start(...words: readonly string[]): Promise<Conversation> {
  const conversation = new Conversation(host.startNode(PROGRAM, ...words));
  expect(await conversation.hear()).toBe("ready");
  return conversation;
}

/** Sends a datagram of so many bytes from the client. `discovery`: whether routers may cut it. */
function datagram(length: number, port = 80, discovery: "dont" | "do" = "dont"): void {
  client.run(`sysctl -qw net.ipv4.ip_no_pmtu_disc=${discovery === "do" ? 0 : 1}`);
  expect(client.status(send(length, "10.0.0.100", port))).toBe(0);
}

function send(length: number, address: string, port: number): string {
  return `head -c ${length} /dev/zero > /dev/udp/${address}/${port}`;
}

/** The one nft that runs there, as soon as there is one. */
async function nftOf({ name }: Namespace): Promise<number> {
  const running = (): string[] =>
    execFileSync("ip", ["netns", "pids", name], { encoding: "utf8" })
      .split("\n")
      .filter((pid) => commandOf(pid) === "nft");
  await expect.poll(running, { timeout: 10_000, interval: 20 }).toHaveLength(1);
  return Number(running()[0]);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "ended";
  }
}

test("what is sent to a service comes by the door, and the host sees the rest", async () => {
  const door = await start();
  expect(await door.ask("services=10.0.0.100:80")).toBe("done");
  datagram(10, 80);
  expect(await door.hear()).toBe("local-in mark 0 - ttl 64 length 38 10.0.0.2 > 10.0.0.100");
  datagram(10, 80, "do");
  expect(await door.hear()).toBe("local-in mark 0 df ttl 64 length 38 10.0.0.2 > 10.0.0.100");
  expect([connectTo(80), connectTo(81)]).toEqual([TIMED_OUT, REFUSED]);
  await door.end();
  expect([connectTo(80), connectTo(81)]).toEqual([ACCEPTED, REFUSED]);
  expect(host.run("nft list tables")).toBe("");
  expect(host.run("ip -br link")).not.toContain("sluice");
});

test("nothing is written into the user's home, as nft does with what it was told", async () => {
  const home = mkdtempSync(join(tmpdir(), "sluice-home-"));
  vi.stubEnv("HOME", home);
  try {
    const door = await start();
    expect(await door.ask("services=10.0.0.100:80")).toBe("done");
    await door.end();
    expect(readdirSync(home)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true });
  }
});

test("a datagram in fragments comes in fragments", async () => {
  const door = await start();
  await door.ask("services=10.0.0.100:80");
  datagram(3000);
  const pieces = [await door.hear(), await door.hear(), await door.hear()];
  expect(pieces).toEqual([
    "local-in mark 0 - ttl 64 length 1500 10.0.0.2 > 10.0.0.100 fragment",
    "local-in mark 0 - ttl 64 length 1500 10.0.0.2 > 10.0.0.100 fragment",
    "local-in mark 0 - ttl 64 length 68 10.0.0.2 > 10.0.0.100 fragment",
  ]);
});

test("an IPv6 datagram in fragments meets the host's filters as one", async () => {
  host.run(
    "nft add table ip6 operator; add chain ip6 operator in { type filter hook input priority 0; }; add rule ip6 operator in udp dport 80 counter",
  );
  const door = await start();
  await door.ask("services=[2001:db8::100]:80");
  expect(client.status(send(3000, "2001:db8::100", 80))).toBe(0);
  for (let pieces = 0; pieces < 3; pieces++) expect(await door.hear()).toMatch(/ fragment$/);
  expect(host.run("nft list chain ip6 operator in")).toContain("counter packets 1 bytes 3048");
});

test("netfilter's marks are seen, and bring packets by themselves", async () => {
  host.run(
    "nft add table ip operator; add chain ip operator pre { type filter hook prerouting priority -150; }; add rule ip operator pre udp dport 80 meta mark set 0x80010207; add rule ip operator pre udp dport 81 meta mark set 7",
  );
  const door = await start();
  await door.ask("services=10.0.0.100:80 marks=7");
  datagram(10, 80);
  expect(await door.hear()).toContain(`local-in mark ${0x8001_0207} `);
  datagram(10, 81);
  expect(await door.hear()).toContain("local-in mark 7 ");
  // What followed without its mark, where it went, is still brought.
  host.run("nft flush chain ip operator pre");
  datagram(10, 81);
  expect(await door.hear()).toContain("local-in mark 0 ");
});

test("what the host's own rules drop never comes, and they count it", async () => {
  host.run(
    "nft add table ip operator; add chain ip operator in { type filter hook input priority 0; }; add rule ip operator in udp dport 80 counter drop",
  );
  const door = await start();
  await door.ask("services=10.0.0.100:80,10.0.0.100:81");
  datagram(10, 80);
  datagram(11, 81);
  expect(await door.hear()).toContain("length 39 ");
  expect(host.run("nft list chain ip operator in")).toContain("counter packets 1 ");
});

test("a server's replies are taken on their way through the host and to it", async () => {
  const door = await start();
  const connectFrom = (from: Namespace): number | null =>
    from.status("exec 3<>/dev/tcp/10.1.0.2/22");
  expect([connectFrom(host), connectFrom(client)]).toEqual([REFUSED, REFUSED]);
  await door.ask("replies=10.1.0.2:22");
  expect([connectFrom(host), connectFrom(client)]).toEqual([TIMED_OUT, TIMED_OUT]);
  expect(await door.hear()).toBe("local-in mark 0 df ttl 64 length 40 10.1.0.2 > 10.1.0.1");
  let last = "";
  while (!last.startsWith("forward")) last = await door.hear();
  expect(last).toBe("forward mark 0 df ttl 63 length 40 10.1.0.2 > 10.0.0.2");
});

test("what is given back is answered by the host, whole and with its mark", async () => {
  host.run(
    "nft add table ip operator; add chain ip operator pre { type filter hook prerouting priority -150; }; add rule ip operator pre iifname eth0 tcp dport 81 meta mark set 9; add chain ip operator in { type filter hook input priority 0; }; add rule ip operator in iifname sluice-lane meta mark 9 counter",
  );
  const door = await start("give-back");
  await door.ask("services=10.0.0.100:80,10.0.0.100:81,[2001:db8::100]:80");
  expect([connectTo(80), connectTo(81)]).toEqual([ACCEPTED, REFUSED]);
  expect(host.run("nft list chain ip operator in")).toMatch(/counter packets [1-9]/);
  for (const address of ["10.0.0.100", "2001:db8::100"]) {
    const fetched = client.status(`[ "$(wc -c < /dev/tcp/${address}/80)" = ${BYTES} ]`);
    expect(fetched).toBe(0);
  }
  expect(host.run("nstat -az TcpInCsumErrors")).toMatch(/TcpInCsumErrors +0 /);
});

test("a killed process leaves nothing behind, and the next one starts at once", async () => {
  const door = await start();
  await door.ask("services=10.0.0.100:80 replies=10.0.0.1:22 local=10.0.0.1:22");
  expect(host.run("ip rule")).toContain("fwmark 0x2053");
  expect(connectTo(80)).toBe(TIMED_OUT);
  await door.kill();
  const next = await start("give-back");
  await next.ask("services=10.0.0.100:80");
  expect(connectTo(80)).toBe(ACCEPTED);
  await next.kill();
  // The kernel takes a dead owner's table and namespace down in its own time, which a busy machine makes long.
  const left = (): string =>
    `${host.run("nft list tables")}${host.run("ip -br link")}${host.run("ip rule")}`;
  await expect.poll(left, { timeout: 10_000 }).not.toMatch(/sluice|0x2053/);
  expect(connectTo(80)).toBe(ACCEPTED);
});

test("what is sent to the lane's own neighbours does not go round", async () => {
  const door = await start("give-back");
  await door.ask("services=10.0.0.100:80");
  client.batch(["route add 169.254.77.0/24 via 10.0.0.1"]);
  for (const last of [2, 3, 4, 5, 6, 7]) {
    const ping = `ping -c 1 -W 0.2 169.254.77.${last}`;
    client.status(ping);
    host.status(ping);
  }
  const sent = (): number => {
    const { stats64 } = JSON.parse(host.run("ip -s -j link show sluice-lane"))[0];
    return stats64.tx.packets as number;
  };
  expect(sent()).toBeLessThan(10);
});

test("nft may end while it is being started again", async () => {
  const door = await start();
  const many = Array.from({ length: 5_000 }, (_, index) => `10.7.${index >> 8}.${index & 255}:80`);
  await door.ask(`services=${many.join(",")},10.0.0.100:80`);
  for (let times = 0; times < 2; times++) {
    process.kill(await nftOf(host), "SIGKILL");
    expect(await door.hear()).toBe("lost");
  }
  let heard = "lost";
  while (heard === "lost") heard = await door.hear();
  expect(heard).toBe("restored");
  expect(connectTo(80)).toBe(TIMED_OUT);
  expect(host.run("nft list tables").trim().split("\n").sort()).toEqual([
    "table ip sluice",
    "table ip6 sluice",
    "table netdev sluice_lane",
  ]);
});

test("when nft ends it is started again with the same rules", async () => {
  const door = await start();
  await door.ask("services=10.0.0.100:80");
  process.kill(await nftOf(host), "SIGKILL");
  expect(await door.hear()).toBe("lost");
  expect(await door.hear()).toBe("restored");
  expect(connectTo(80)).toBe(TIMED_OUT);
});

test("all of it works for an ordinary user in a namespace of his own", async () => {
  const words = ["-Urn", process.execPath, "--disable-warning=ExperimentalWarning", PROGRAM];
  const door = new Conversation(spawn("unshare", words));
  expect(await door.hear()).toBe("ready");
  expect(await door.ask("services=10.0.0.100:80,[2001:db8::1]:80 marks=7")).toBe("done");
  await door.end();
});
