import { afterAll, beforeAll, expect, test } from "vitest";
import { Conversation } from "../../../test/userspace/conversation.ts";
import { connect, Namespace } from "../../../test/userspace/namespaces.ts";

let host: Namespace;
let peer: Namespace;
let pid: number;
let ask: (line: string) => Promise<unknown>;

beforeAll(async () => {
  host = new Namespace("host");
  peer = new Namespace("peer");
  connect(host, "eth0", peer, "eth0");
  connect(host, "eth1", peer, "eth1");
  for (const command of [
    "sysctl -qw net.ipv6.conf.eth0.accept_dad=0",
    "sysctl -qw net.ipv4.conf.all.rp_filter=0",
    "sysctl -qw net.ipv4.ip_forward=1",
    "ip addr add 10.0.0.1/24 dev eth0",
    "ip addr add 2001:db8::1/64 dev eth0 nodad",
    "ip addr add 203.0.113.2/28 dev eth1",
    "ip addr add 2001:db8:f::2/64 dev eth1 nodad",
    "ip route add 192.0.2.0/24 via 10.0.0.254",
    "ip route add 192.0.2.128/25 via 10.0.0.253 src 10.0.0.1 mtu 1400",
    "ip route add 198.51.100.0/24 nexthop via 10.0.0.251 nexthop via 10.0.0.252",
    "ip nexthop add id 1 via 10.0.0.241 dev eth0",
    "ip nexthop add id 2 via 10.0.0.242 dev eth0",
    "ip nexthop add id 10 group 1/2",
    "ip route add 198.18.0.0/24 nhid 10",
    "ip route add blackhole 203.0.113.16/28",
    "ip route add prohibit 203.0.113.32/28",
    "ip route add unreachable 203.0.113.48/28",
    "ip route add throw 203.0.113.64/28",
    "ip route add 2001:db8:1::/48 via 2001:db8::fe",
    "ip route add local 10.9.9.9/32 dev lo",
    // A second uplink for what comes from its addresses, a third way for a mark, and none for another.
    "ip route add default via 203.0.113.1 table 100",
    "ip rule add from 203.0.113.2 lookup 100",
    "ip -6 route add default via 2001:db8:f::1 table 100",
    "ip -6 rule add from 2001:db8:f::2 lookup 100",
    "ip route add default via 10.0.0.99 table 101",
    "ip rule add from 10.0.0.55 lookup 100",
    "ip rule add iif eth0 to 9.9.9.9 lookup 100",
    "ip rule add fwmark 7 lookup 101",
    "ip rule add fwmark 8 blackhole",
    "ip rule add from 10.0.0.1 to 192.0.2.99 prohibit",
    "ip tuntap add tun0 mode tun",
    "ip addr add 172.16.0.1/30 dev tun0",
    "ip link set tun0 up",
  ]) {
    host.run(command);
  }
  peer.run("ip addr add 10.0.0.2/24 dev eth0");
  peer.run("ip addr add 2001:db8::2/64 dev eth0 nodad");
  const program = new URL("../../../test/userspace/ask-network.ts", import.meta.url).pathname;
  const child = host.startNode(program);
  pid = child.pid!;
  const conversation = new Conversation(child);
  ask = async (line) => JSON.parse(await conversation.ask(line));
  expect(await conversation.hear()).toBe('"ready"');
});

afterAll(() => {
  host[Symbol.dispose]();
  peer[Symbol.dispose]();
});

// biome-ignore format: a table
const routes: [what: string, question: string, answer: string | RegExp][] = [
  ["a neighbour",                   "10.0.0.77",       "10.0.0.77 by eth0 from 10.0.0.1 mtu 1500"],
  ["a gateway",                     "192.0.2.1",       "10.0.0.254 by eth0 from 10.0.0.1 mtu 1500"],
  ["a longer prefix with an MTU",   "192.0.2.200",     "10.0.0.253 by eth0 from 10.0.0.1 mtu 1400"],
  ["one of several hops",           "198.51.100.1",    /^10.0.0.25[12] by eth0 from 10.0.0.1 mtu 1500/],
  ["a group of nexthop objects",    "198.18.0.1",      /^10.0.0.24[12] by eth0 from 10.0.0.1 mtu 1500/],
  ["a black hole",                  "203.0.113.17",    "unreachable"],
  ["what is prohibited",            "203.0.113.33",    "unreachable"],
  ["what is unreachable",           "203.0.113.49",    "unreachable"],
  ["what the table throws out",     "203.0.113.65",    "unreachable"],
  ["nowhere",                       "8.8.8.8",         "unreachable"],
  ["an own address",                "10.0.0.1",        "local"],
  ["the broadcast address",         "10.0.0.255",      "local"],
  ["the loopback",                  "127.1.2.3",       "local"],
  ["an address that is only routed","10.9.9.9",        "local"],
  ["an interface without a header", "172.16.0.2",      "172.16.0.2 by tun0 from 172.16.0.1 mtu 1500"],
  ["an IPv6 neighbour",             "2001:db8::77",    "2001:db8::77 by eth0 from 2001:db8::1 mtu 1500"],
  ["an IPv6 gateway",               "2001:db8:1::1",   "2001:db8::fe by eth0 from 2001:db8::1 mtu 1500"],
  ["an own IPv6 address",           "2001:db8::1",     "local"],
  ["nowhere in IPv6",               "2001:db8:2::1",   "unreachable"],
  ["what comes from a second uplink's address", "8.8.8.8 from 203.0.113.2",       "203.0.113.1 by eth1 from 203.0.113.2 mtu 1500"],
  ["the same in IPv6",              "2001:db8:2::1 from 2001:db8:f::2",           "2001:db8:f::1 by eth1 from 2001:db8:f::2 mtu 1500"],
  ["what comes from the other",     "8.8.8.8 from 10.0.0.1",                      "unreachable"],
  ["what bears a mark",             "8.8.8.8 from 10.0.0.1 mark 7",               "10.0.0.99 by eth0 from 10.0.0.1 mtu 1500"],
  ["what bears a mark, from another's address", "8.8.8.8 from 192.0.2.1 mark 7",  "10.0.0.99 by eth0 from 192.0.2.1 mtu 1500"],
  ["a mark that goes into a black hole", "192.0.2.1 from 10.0.0.1 mark 8",        "unreachable"],
  ["what a rule prohibits to one source", "192.0.2.99 from 10.0.0.1",             "unreachable"],
  ["the same from another",         "192.0.2.99 from 203.0.113.3",                "10.0.0.254 by eth0 from 203.0.113.3 mtu 1500"],
  ["what a rule says of a server's address", "8.8.8.8 from 10.0.0.55",           "203.0.113.1 by eth1 from 10.0.0.55 mtu 1500"],
  ["what a rule says of the interface that it came by", "9.9.9.9 from 10.0.0.56", "203.0.113.1 by eth1 from 10.0.0.56 mtu 1500"],
  ["the same of the host's own",    "9.9.9.9 from 10.0.0.1",                      "unreachable"],
  ["what comes from nowhere",       "192.0.2.1 from 8.8.8.8",                     "10.0.0.254 by eth0 from 10.0.0.1 mtu 1500"],
];

test.for(routes)("a route to %s", async ([, question, answer]) => {
  const expected = typeof answer === "string" ? answer : expect.stringMatching(answer);
  expect(await ask(question)).toEqual(expected);
});

test("destinations over one gateway go the same way, whichever was asked for", async () => {
  expect(await ask("same 192.0.2.1 192.0.2.2")).toBe(true);
  expect(await ask("same 192.0.2.1 192.0.2.201")).toBe(false);
});

test("interfaces are known", async () => {
  const links = (await ask("links")) as string[];
  expect(links.filter((link) => /^(lo|eth|tun0) ?/.test(link))).toEqual([
    "lo true true ethernet 65536 ",
    "eth0 true false ethernet 1500 ",
    "eth1 true false ethernet 1500 ",
    "tun0 true false none 1500 ",
  ]);
});

// biome-ignore format: a table
const changes: [what: string, change: string, question: string, answer: string][] = [
  ["a route",          "ip route add 8.8.8.0/24 via 10.0.0.254",           "8.8.8.8", "10.0.0.254 by eth0 from 10.0.0.1 mtu 1500"],
  ["its MTU",          "ip route replace 8.8.8.0/24 via 10.0.0.254 mtu 1300", "8.8.8.8", "10.0.0.254 by eth0 from 10.0.0.1 mtu 1300"],
  ["a rule",           "ip rule add to 8.8.8.8 lookup 100",                "8.8.8.8", "203.0.113.1 by eth1 from 203.0.113.2 mtu 1500"],
  ["a rule that went", "ip rule del to 8.8.8.8 lookup 100",                "8.8.8.8", "10.0.0.254 by eth0 from 10.0.0.1 mtu 1300"],
  ["an IPv6 rule",     "ip -6 rule add to 2001:db8:3::/48 lookup 100",     "2001:db8:3::1", "2001:db8:f::1 by eth1 from 2001:db8:f::2 mtu 1500"],
  ["a nexthop object", "ip nexthop replace id 10 group 1",                 "198.18.0.2", "10.0.0.241 by eth0 from 10.0.0.1 mtu 1500"],
  ["an object's gateway", "ip nexthop replace id 1 via 10.0.0.243 dev eth0", "198.18.0.2", "10.0.0.243 by eth0 from 10.0.0.1 mtu 1500"],
  ["an address",       "ip addr add 8.8.4.4/32 dev lo",                    "8.8.4.4", "local"],
  ["one that went",    "ip addr del 8.8.4.4/32 dev lo",                    "8.8.4.4", "unreachable"],
  ["an interface's MTU", "ip link set eth0 mtu 1400",                      "10.0.0.77", "10.0.0.77 by eth0 from 10.0.0.1 mtu 1400"],
  ["an interface",     "ip link add bridge0 up type bridge",               "links", "bridge0 true false ethernet 1500 "],
];

test.for(changes)("a change is followed: %s", async ([, change, question, answer]) => {
  host.run(change);
  const said = async () => [await ask(question)].flat();
  await expect.poll(said).toContain(answer);
});

test("routes go with their interface, which the kernel does not announce", async () => {
  host.run("ip link set eth0 down");
  await expect.poll(() => ask("192.0.2.1")).toBe("unreachable");
  host.run("ip link set eth0 up");
  await expect.poll(() => ask("10.0.0.77")).toBe("10.0.0.77 by eth0 from 10.0.0.1 mtu 1400");
});

test.for(["10.0.0.2", "2001:db8::2"])(
  "the host's stack finds %s when asked to",
  async (address) => {
    const mac = peer.run("cat /sys/class/net/eth0/address").trim().replaceAll(":", "");
    host.run("ip addr replace 2001:db8::1/64 dev eth0 nodad");
    expect(await ask(`seek eth0 ${address}`)).toBe(mac);
    expect(host.run(`ip neigh show ${address} dev eth0`)).toContain("REACHABLE");
  },
);

test("what the kernel will not look for is counted under its name, and told once", async () => {
  await ask("seek none 10.0.0.2");
  expect(await ask("seek none 10.0.0.2")).toEqual({
    counted: { "neighbour-EINVAL": 2 },
    told: ["Cannot have the host look for 10.0.0.2: netlink: EINVAL (counted as neighbour-EINVAL)"],
  });
});

test("ICMP errors are limited as the host's own, a peer's limit is not the host's own", async () => {
  expect(await ask("tell 10.0.0.77 30")).toBe(6);
  expect(await ask("tell 10.0.0.77 30")).toBeLessThanOrEqual(1);
  expect(await ask("tell 2001:db8::77 30")).toBeGreaterThanOrEqual(6);
  expect(await ask("tell 127.0.0.1 100")).toBe(100);
  expect(await ask("tell 10.0.0.1 10")).toBe(10);
  expect(await ask("tell 203.0.113.17 1")).toBe(0);
  host.run("sysctl -qw net.ipv4.icmp_ratemask=0");
  await expect.poll(() => ask("tell 10.0.0.77 30"), { timeout: 10_000 }).toBe(30);
});

test("after so much news that some were lost, changes are still followed", async () => {
  process.kill(pid, "SIGSTOP");
  const addresses = Array.from(
    { length: 20_000 },
    (_, index) => `10.99.${index >> 8}.${index & 0xff}`,
  );
  host.batch(addresses.map((address) => `route add ${address}/32 dev eth1`));
  process.kill(pid, "SIGCONT");
  host.batch(["route flush root 10.99.0.0/16", "route replace 192.0.2.0/24 via 10.0.0.250"]);
  const way = () => ask("192.0.2.1");
  await expect.poll(way, { timeout: 10_000 }).toContain("10.0.0.250 by eth0");
  // And what comes after the storm, too.
  for (const gateway of ["10.0.0.249", "10.0.0.248"]) {
    await way();
    host.batch([`route replace 192.0.2.0/24 via ${gateway}`]);
    await expect.poll(way, { timeout: 10_000 }).toContain(`${gateway} by eth0`);
  }
});
