import { afterAll, beforeAll, expect, test } from "vitest";
import { Conversation } from "../../../../test/userspace/conversation.ts";
import { connect, Namespace } from "../../../../test/userspace/namespaces.ts";

let host: Namespace;
let peer: Namespace;
let ask: (line: string) => Promise<unknown>;

beforeAll(async () => {
  host = new Namespace("host");
  peer = new Namespace("peer");
  connect(host, "eth0", peer, "eth0");
  for (const command of [
    "sysctl -qw net.ipv6.conf.eth0.accept_dad=0",
    "ip addr add 10.0.0.1/24 dev eth0",
    "ip addr add 2001:db8::1/64 dev eth0 nodad",
    "ip route add 192.0.2.0/24 via 10.0.0.254",
    "ip route add 192.0.2.128/25 via 10.0.0.253 src 10.0.0.1 mtu 1400",
    "ip route add 198.51.100.0/24 nexthop via 10.0.0.251 nexthop via 10.0.0.252",
    "ip route add blackhole 203.0.113.0/24",
    "ip route add 2001:db8:1::/48 via 2001:db8::fe",
    "ip route add local 10.9.9.9/32 dev lo",
  ]) {
    host.run(command);
  }
  peer.run("ip addr add 10.0.0.2/24 dev eth0");
  peer.run("ip addr add 2001:db8::2/64 dev eth0 nodad");
  const program = new URL("../../../../test/userspace/ask-network.ts", import.meta.url).pathname;
  const conversation = new Conversation(host.startNode(program));
  ask = async (line) => JSON.parse(await conversation.ask(line));
  expect(await conversation.hear()).toBe('"ready"');
});

afterAll(() => {
  host[Symbol.dispose]();
  peer[Symbol.dispose]();
});

// biome-ignore format: a table
const routes: [what: string, destination: string, answer: string][] = [
  ["a neighbour",                   "10.0.0.77",       "10.0.0.77 by eth0 from 10.0.0.1 mtu 1500"],
  ["a gateway",                     "192.0.2.1",       "10.0.0.254 by eth0 from 10.0.0.1 mtu 1500"],
  ["a longer prefix with an MTU",   "192.0.2.200",     "10.0.0.253 by eth0 from 10.0.0.1 mtu 1400"],
  ["the first of several hops",     "198.51.100.1",    "10.0.0.251 by eth0 from 10.0.0.1 mtu 1500"],
  ["a black hole",                  "203.0.113.1",     "unreachable"],
  ["nowhere",                       "8.8.8.8",         "unreachable"],
  ["an own address",                "10.0.0.1",        "local"],
  ["the broadcast address",         "10.0.0.255",      "local"],
  ["the loopback",                  "127.1.2.3",       "local"],
  ["an address that is only routed","10.9.9.9",        "local"],
  ["an IPv6 neighbour",             "2001:db8::77",    "2001:db8::77 by eth0 from 2001:db8::1 mtu 1500"],
  ["an IPv6 gateway",               "2001:db8:1::1",   "2001:db8::fe by eth0 from 2001:db8::1 mtu 1500"],
  ["an own IPv6 address",           "2001:db8::1",     "local"],
  ["nowhere in IPv6",               "2001:db8:2::1",   "unreachable"],
];

test.for(routes)("a route to %s", async ([, destination, answer]) => {
  expect(await ask(destination)).toBe(answer);
});

test("interfaces are known", async () => {
  expect(await ask("links")).toEqual(["lo true true false 65536 ", "eth0 true false true 1500 "]);
});

test("a change is followed", async () => {
  host.run("ip route add 8.8.8.0/24 via 10.0.0.254");
  await expect.poll(() => ask("8.8.8.8")).toBe("10.0.0.254 by eth0 from 10.0.0.1 mtu 1500");
});

test("routes go with their interface, which the kernel does not announce", async () => {
  host.run("ip link set eth0 down");
  await expect.poll(() => ask("192.0.2.1")).toBe("unreachable");
  host.run("ip link set eth0 up");
  await expect.poll(() => ask("10.0.0.77")).toBe("10.0.0.77 by eth0 from 10.0.0.1 mtu 1500");
});

test.for(["10.0.0.2", "2001:db8::2"])(
  "the host's stack finds %s when asked to",
  async (address) => {
    const mac = peer.run("cat /sys/class/net/eth0/address").trim().replaceAll(":", "");
    host.run("ip addr replace 2001:db8::1/64 dev eth0 nodad");
    expect(await ask(`seek eth0 ${address}`)).toBe(mac);
  },
);
