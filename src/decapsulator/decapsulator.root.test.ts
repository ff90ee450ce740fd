import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { address } from "../../test/builders.ts";
import { Conversation } from "../../test/userspace/conversation.ts";
import { connect, Namespace, untilPrinted } from "../../test/userspace/namespaces.ts";
import { ETHERTYPE, EthernetView, emitEthernet } from "../net/ethernet.ts";
import { fragmentIpv4 } from "../net/fragmentation.ts";
import { emitGre } from "../net/gre.ts";
import { emitGue } from "../net/gue.ts";
import { emitEcho, ICMP_TYPE, IcmpView } from "../net/icmp.ts";
import { IP_PROTOCOL } from "../net/ip-protocol.ts";
import { emitIpv4, Ipv4View } from "../net/ipv4.ts";
import { parseMac } from "../net/mac-address.ts";
import { toPort } from "../net/port.ts";
import { emitUdp } from "../net/udp.ts";

const SLUICE = new URL("../sluice.ts", import.meta.url).pathname;
const WIRE_ENDS = new URL("../../test/userspace/wire-ends.ts", import.meta.url).pathname;

const DIRECTOR = address("10.0.0.1");
const SERVER = address("10.0.0.2");
const STRANGER = address("10.0.0.3");
const VIP = address("10.0.0.100");
const CLIENT = address("203.0.113.5");
const MACS = {
  source: parseMac("02:00:00:00:00:01")!,
  destination: parseMac("02:00:00:00:00:02")!,
};
const GUE_PORT = 6080;
const ENDS = { source: DIRECTOR, destination: SERVER };

let server: Namespace;
let world: Namespace;
let wire: Conversation;

/** What the host's own stack answers by itself shows that a packet came to it: an echo. */
beforeEach(async () => {
  server = new Namespace("server");
  world = new Namespace("world");
  connect(world, "eth0", server, "eth0");
  for (const command of [
    "sysctl -qw net.ipv4.conf.all.rp_filter=1",
    "sysctl -qw net.ipv4.icmp_ratelimit=0",
    "sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
    `ip link set eth0 address ${MACS.destination}`,
    `ip addr add ${SERVER}/24 dev eth0`,
    `ip addr add ${VIP}/32 dev lo`,
    `ip neigh replace ${DIRECTOR} lladdr ${MACS.source} dev eth0`,
    `ip route add default via ${DIRECTOR}`,
  ]) {
    server.run(command);
  }
  wire = new Conversation(world.startNode(WIRE_ENDS, "eth0"));
  expect(JSON.parse(await wire.hear())).toBe("ready");
});

afterEach(() => {
  server[Symbol.dispose]();
  world[Symbol.dispose]();
});

const run = (...words: readonly string[]): ChildProcessWithoutNullStreams =>
  server.startNode(SLUICE, "decapsulate", ...words);

async function start(...words: readonly string[]): Promise<ChildProcessWithoutNullStreams> {
  const child = run("--on", "eth0", "--gue-port", `${GUE_PORT}`, ...words);
  await untilPrinted(child, "taking apart");
  return child;
}

/** What it printed from now on to its end, and its exit code. */
async function ended(child: ChildProcessWithoutNullStreams): Promise<[string, unknown]> {
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  const [code] = (await once(child, "close")) as unknown[];
  return [printed, code];
}

const echo = (sequence: number, length = 20): Uint8Array =>
  emitIpv4(
    { protocol: IP_PROTOCOL.icmp, source: CLIENT, destination: VIP },
    emitEcho("request", 1, sequence, new Uint8Array(length)),
  );

const ipip = (inner: Uint8Array): Uint8Array => emitIpv4({ ...ENDS, protocol: 4 }, inner);
const gre = (inner: Uint8Array, fields: object = {}): Uint8Array =>
  emitIpv4(
    { ...ENDS, protocol: IP_PROTOCOL.gre },
    emitGre({ protocol: ETHERTYPE.ipv4, ...fields }, inner),
  );
const gue = (inner: Uint8Array): Uint8Array =>
  emitIpv4(
    { ...ENDS, protocol: IP_PROTOCOL.udp },
    emitUdp(
      { source: toPort(40000), destination: toPort(GUE_PORT) },
      emitGue({ protocol: 4 }, inner),
      ENDS,
    ),
  );

/** The ICMP messages that come back after `packets`: a reply's number, or "unreachable". */
async function answersTo(packets: readonly Uint8Array[]): Promise<(number | string)[]> {
  const frames = packets.map((packet) =>
    Buffer.from(emitEthernet({ ...MACS, etherType: ETHERTYPE.ipv4 }, packet)).toString("hex"),
  );
  await wire.ask(JSON.stringify(["drain"]));
  await wire.ask(JSON.stringify(["send", "eth0", ...frames]));
  await delay(150);
  const heard = JSON.parse(await wire.ask(JSON.stringify(["drain"]))) as [string, string][];
  return heard.flatMap(([, frame]) => answerIn(Buffer.from(frame, "hex")));
}

function answerIn(frame: Uint8Array): (number | string)[] {
  const ethernet = EthernetView.over(frame) as EthernetView;
  const ip = Ipv4View.over(ethernet.payload);
  if (ethernet.source !== MACS.destination || typeof ip === "string") return [];
  const icmp = IcmpView.over(ip.payload);
  if (ip.protocol !== IP_PROTOCOL.icmp || typeof icmp === "string") return [];
  if (icmp.type === ICMP_TYPE.destinationUnreachable) return ["unreachable"];
  const isReply = icmp.type === ICMP_TYPE.echoReply && ip.source.equals(VIP);
  return [isReply && ip.destination.equals(CLIENT) ? icmp.sequence : "something else"];
}

test("what is inside reaches the host's own stack, and all else nobody", async () => {
  const decapsulator = await start();
  const fragments = fragmentIpv4(Ipv4View.over(gue(echo(5, 1_200))) as Ipv4View, 600);
  if (typeof fragments === "string") throw new Error(fragments);
  const packets = [
    ipip(echo(1)),
    gre(echo(2)),
    gre(echo(3), { hasChecksum: true }),
    gue(echo(4)),
    ...fragments,
    // Refused: keyed, not for this host, cut short.
    gre(echo(6), { key: 1 }),
    ipip(emitIpv4({ protocol: 1, source: CLIENT, destination: STRANGER }, new Uint8Array(8))),
    ipip(new Uint8Array(3)),
  ];
  expect(await answersTo(packets)).toEqual([1, 2, 3, 4, 5]);

  decapsulator.kill("SIGUSR1");
  const counts = await untilPrinted(decapsulator, "drop-inner-destination");
  expect(counts).toMatch(/^deliver-gue +2$/m);
  decapsulator.kill("SIGTERM");
  const [printed, code] = await ended(decapsulator);
  expect(code).toBe(0);
  expect(Object.fromEntries(rowsOf(printed))).toEqual({
    "deliver-ipip": 1,
    "deliver-gre": 2,
    "deliver-gue": 2,
    "hold-fragment": 2,
    "drop-gre-keyed": 1,
    "drop-inner-destination": 1,
    "drop-inner-malformed": 1,
    "fragments-reassembled": 1,
  });
  expect(server.run("nft list ruleset")).toBe("");
  expect(server.run("ip -o link")).not.toContain("sluice");
  expect(await answersTo([gue(echo(7))])).toEqual(["unreachable"]);
});

test("tunnels begin where they may", async () => {
  const decapsulator = await start("--from", `${STRANGER}`, "--from", "192.0.2.0/24");
  expect(await answersTo([ipip(echo(1)), gue(echo(2))])).toEqual([]);
  decapsulator.kill("SIGINT");
  expect(await ended(decapsulator)).toEqual(["drop-outer-source 2\n", 0]);
});

test("one that was killed leaves nothing in the way of the next", async () => {
  const first = await start();
  first.kill("SIGKILL");
  await once(first, "close");
  await start();
  expect(await answersTo([ipip(echo(1))])).toEqual([1]);
});

test("its interface is made anew when somebody removed it, and set up again", async () => {
  await start();
  for (const command of [
    "ip link del sluice-inner",
    "ip link set sluice-inner down",
    "ip link del sluice-inner",
  ]) {
    await expect.poll(() => answersTo([ipip(echo(1))]), { timeout: 10_000 }).toEqual([1]);
    server.run(command);
  }
  await expect.poll(() => answersTo([ipip(echo(2))]), { timeout: 10_000 }).toEqual([2]);
});

test("says why it cannot work", async () => {
  const [why, code] = await ended(run("--on", "eth7"));
  expect([why, code]).toEqual([
    "sluice decapsulate: Cannot listen on eth7: there is no such interface\n",
    1,
  ]);
  await start();
  const [whySecond, codeSecond] = await ended(run("--on", "eth0"));
  expect(whySecond).toMatch(
    /^sluice decapsulate: Cannot take tunnel packets apart here: another Sluice \(process \d+\) does already/,
  );
  expect(codeSecond).toBe(1);
});

function rowsOf(table: string): (readonly [string, number])[] {
  return table
    .trim()
    .split("\n")
    .map((row) => row.split(/ +/))
    .map(([name = "", count]) => [name, Number(count)] as const);
}
