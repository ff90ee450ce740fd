import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Conversation } from "../../../../test/userspace/conversation.ts";
import { connect, Namespace } from "../../../../test/userspace/namespaces.ts";
import { Address } from "../../../net/address.ts";
import { ARP_OPERATION, emitArp } from "../../../net/arp.ts";
import { ETHERTYPE, emitEthernet } from "../../../net/ethernet.ts";
import { fragmentationNeeded } from "../../../net/icmp.ts";
import { IP_PROTOCOL } from "../../../net/ip-protocol.ts";
import { emitIpv4 } from "../../../net/ipv4.ts";
import { emitIpv6 } from "../../../net/ipv6.ts";
import { BROADCAST_MAC, readMac, ZERO_MAC } from "../../../net/mac-address.ts";
import type { Port } from "../../../net/port.ts";
import { emitUdp } from "../../../net/udp.ts";

/** host eth0 10.0.0.1 --- 10.0.0.2 peer; host eth1 10.1.0.1 --- 10.1.0.2 peer, the way of 203.0.113.2 and of mark 7. */
let host: Namespace;
let peer: Namespace;
let ask: (line: string) => Promise<unknown>;
let wires: Conversation;

/** The kernel asks three times, a second apart. */
const PATIENT = { timeout: 15_000 };

beforeAll(async () => {
  host = new Namespace("host");
  peer = new Namespace("peer");
  for (const [index, name] of ["eth0", "eth1"].entries()) {
    connect(host, name, peer, name);
    host.run(`ip addr add 10.${index}.0.1/24 dev ${name}`);
    host.run(`ip addr add 2001:db8:${index}::1/64 dev ${name} nodad`);
    peer.run(`ip addr add 10.${index}.0.2/24 dev ${name}`);
    peer.run(`ip addr add 2001:db8:${index}::2/64 dev ${name} nodad`);
  }
  for (const command of [
    "ip addr add 203.0.113.2/32 dev lo",
    "ip addr add 2001:db8:f::2/128 dev lo nodad",
    "ip route add default via 10.0.0.2",
    "ip route add default via 10.1.0.2 table 100",
    "ip rule add from 203.0.113.2 lookup 100",
    "ip rule add fwmark 7 lookup 100",
    "ip -6 route add default via 2001:db8:0::2",
    "ip -6 route add default via 2001:db8:1::2 table 100",
    "ip -6 rule add from 2001:db8:f::2 lookup 100",
  ]) {
    host.run(command);
  }
  const program = new URL("../../../../test/userspace/send-packets.ts", import.meta.url).pathname;
  const conversation = new Conversation(host.startNode(program));
  ask = async (line) => JSON.parse(await conversation.ask(line));
  expect(await conversation.hear()).toBe('"ready"');
  const ends = new URL("../../../../test/userspace/wire-ends.ts", import.meta.url).pathname;
  wires = new Conversation(peer.startNode(ends, "eth0", "eth1"));
  await wires.hear();
});

afterAll(() => {
  host[Symbol.dispose]();
  peer[Symbol.dispose]();
});

beforeEach(async () => {
  await wires.ask('["drain"]');
  await ask("undeliverable");
});

/** A datagram in hexadecimal. */
function datagram(from: string, to: string, length = 20): string {
  const [source, destination] = [Address.parse(from)!, Address.parse(to)!];
  const ports = { source: 1000 as Port, destination: 2000 as Port };
  const udp = emitUdp(ports, new Uint8Array(length), { source, destination });
  const packet =
    source.family === "inet"
      ? emitIpv4({ protocol: IP_PROTOCOL.udp, source, destination }, udp)
      : emitIpv6({ nextHeader: IP_PROTOCOL.udp, source, destination }, udp);
  return Buffer.from(packet).toString("hex");
}

/** Of an IPv4 datagram: what its sender leaves in the checksum field for others to finish. */
function pseudoHeaderSum(packet: Buffer): number {
  let sum = IP_PROTOCOL.udp + packet.length - 20;
  for (let at = 12; at < 20; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** Where packets with this payload came out: interface and the frame's destination. */
async function seen(packet: string): Promise<string[]> {
  const frames = JSON.parse(await wires.ask('["drain"]')) as [string, string][];
  const udp = packet.slice(packet.startsWith("6") ? 80 : 40);
  return (
    frames
      // An ICMP error about the packet ends with it, too.
      .filter(([, frame]) => frame.endsWith(udp) && frame.length === packet.length + 2 * 14)
      .map(([name, frame]) => `${name} ${frame.slice(0, 12)}`)
  );
}

function macOf(name: string): string {
  return peer.run(`cat /sys/class/net/${name}/address`).trim().replaceAll(":", "");
}

// biome-ignore format: a table
const ways: [what: string, from: string, to: string, mark: number, by: string][] = [
  ["by the main table",          "10.0.0.1",      "198.51.100.1",   0, "eth0"],
  ["by its source's rule",       "203.0.113.2",   "198.51.100.1",   0, "eth1"],
  ["by its mark's rule",         "10.0.0.1",      "198.51.100.1",   7, "eth1"],
  ["from another's address",     "192.0.2.9",     "198.51.100.1",   0, "eth0"],
  ["IPv6 by the main table",     "2001:db8:0::1", "2001:db8:77::1", 0, "eth0"],
  ["IPv6 by its source's rule",  "2001:db8:f::2", "2001:db8:77::1", 0, "eth1"],
  ["IPv6 from another's address","2001:db8:88::9","2001:db8:77::1", 0, "eth0"],
];

test.for(ways)("a packet of the host's own goes %s", async ([, from, to, mark, by]) => {
  const packet = datagram(from, to);
  expect(await ask(`own ${packet} ${mark}`)).toEqual({});
  await expect.poll(() => seen(packet), PATIENT).toEqual([`${by} ${macOf(by)}`]);
});

test("a packet of the host's own meets its output chain, whose refusal is counted", async () => {
  for (const line of [
    "add table ip filter",
    "add chain ip filter output { type filter hook output priority 0; }",
    "add rule ip filter output ip daddr 198.51.100.66 counter drop",
  ]) {
    host.run(`nft ${line}`);
  }
  const packet = datagram("10.0.0.1", "198.51.100.66");
  expect(await ask(`own ${packet} 0`)).toEqual({ EPERM: 1 });
  expect(host.run("nft list table ip filter")).toContain("counter packets 1");
});

test("what does not fit, and what has no way, is counted under errno's name", async () => {
  host.run("ip route add unreachable 198.51.100.128/25");
  expect(await ask(`own ${datagram("10.0.0.1", "198.51.100.1", 2000)} 0`)).toMatchObject({
    EMSGSIZE: 1,
  });
  expect(await ask(`own ${datagram("10.0.0.1", "198.51.100.200")} 0`)).toMatchObject({
    EHOSTUNREACH: 1,
  });
});

test.for([
  ["10.0.0.1", "10.0.0.2", "eth0"],
  ["2001:db8:1::1", "2001:db8:1::2", "eth1"],
] as const)("the host finds the neighbour of what is forwarded from %s to %s", async (way) => {
  const [from, to, by] = way;
  const packet = datagram(from, to);
  host.run(`ip neigh flush dev ${by}`);
  expect(await ask(`forward ${packet}`)).toBe("sent");
  await expect.poll(() => seen(packet), PATIENT).toEqual([`${by} ${macOf(by)}`]);
  expect(host.run(`ip neigh show ${to}`)).toContain("REACHABLE");
});

test("what the host's table says of a neighbour counts at once", async () => {
  const packet = datagram("10.0.0.1", "10.0.0.2");
  host.run("ip neigh replace 10.0.0.2 dev eth0 lladdr 02:00:00:00:00:77 nud permanent");
  await expect
    .poll(async () => {
      await ask(`forward ${packet}`);
      return seen(packet);
    }, PATIENT)
    .toContain("eth0 020000000077");
  host.run("ip neigh del 10.0.0.2 dev eth0");
  await expect
    .poll(async () => {
      await ask(`forward ${packet}`);
      return seen(packet);
    }, PATIENT)
    .toContain(`eth0 ${macOf("eth0")}`);
});

test("a neighbour that moved is followed when it says so", async () => {
  const packet = datagram("10.0.0.1", "10.0.0.2");
  host.run("sysctl -qw net.ipv4.conf.eth0.arp_accept=1");
  await ask(`forward ${packet}`);
  peer.run("ip link set eth0 address 02:00:00:00:00:99");
  const mac = readMac(Uint8Array.of(2, 0, 0, 0, 0, 0x99), 0);
  const address = Address.parse("10.0.0.2")!;
  // A gratuitous ARP message: RFC 5227 section 3.
  const announcement = emitEthernet(
    { destination: BROADCAST_MAC, source: mac, etherType: ETHERTYPE.arp, tag: undefined },
    emitArp({
      operation: ARP_OPERATION.request,
      senderMac: mac,
      sender: address,
      targetMac: ZERO_MAC,
      target: address,
    }),
  );
  await wires.ask(JSON.stringify(["send", "eth0", Buffer.from(announcement).toString("hex")]));
  await expect
    .poll(async () => {
      await ask(`forward ${packet}`);
      return seen(packet);
    }, PATIENT)
    .toContain("eth0 020000000099");
});

test("a stale neighbour is confirmed by the host while it is in use", async () => {
  const packet = datagram("10.0.0.1", "10.0.0.2");
  host.run("ip neigh replace 10.0.0.2 dev eth0 lladdr 02:00:00:00:00:99 nud stale");
  await expect
    .poll(async () => {
      await ask(`forward ${packet}`);
      return host.run("ip neigh show 10.0.0.2");
    }, PATIENT)
    .toMatch(/DELAY|PROBE|REACHABLE/);
});

test.for([
  ["10.0.0.1", "10.0.0.66"],
  ["2001:db8:0::1", "2001:db8:0::66"],
])("what waited from %s for the silent %s is undeliverable when the host gives up", async (way) => {
  const [from, to] = way;
  const packet = datagram(from!, to!);
  expect(await ask(`forward ${packet}`)).toBe("sent");
  await expect.poll(() => ask("undeliverable"), PATIENT).toEqual([packet]);
  expect(host.run(`ip neigh show ${to}`)).toContain("FAILED");
});

test("an interface without link-layer headers gets just the packet, with its checksum finished", async () => {
  await ask("tun tun0");
  host.run("ip addr add 172.16.0.1/30 dev tun0");
  host.run("ip link set tun0 up");
  const whole = datagram("10.0.0.1", "172.16.0.2");
  await expect.poll(() => ask(`forward ${whole}`), PATIENT).toBe("sent");
  await expect.poll(() => ask("tun tun0"), PATIENT).toContain(whole);
  const bytes = Buffer.from(whole, "hex");
  bytes.writeUInt16BE(pseudoHeaderSum(bytes), 20 + 6);
  await ask(`finish ${bytes.toString("hex")}`);
  await expect.poll(() => ask("tun tun0"), PATIENT).toContain(whole);
});

test("an interface that asks nobody gets frames for itself", async () => {
  host.run("ip link set eth1 arp off");
  const packet = datagram("10.1.0.1", "10.1.0.88");
  const own = host.run("cat /sys/class/net/eth1/address").trim().replaceAll(":", "");
  await expect
    .poll(async () => {
      await ask(`forward ${packet}`);
      return seen(packet);
    }, PATIENT)
    .toContain(`eth1 ${own}`);
});

// biome-ignore format: a table
const tunnels: [encapsulation: string, protocol: number][] = [
  ["ipip", IP_PROTOCOL.ipip], ["ipip", IP_PROTOCOL.ipv6], ["gre", IP_PROTOCOL.gre], ["gue", IP_PROTOCOL.udp],
];

test.for(tunnels)("the host learns the MTU of the path of an %s tunnel (%i)", async (tunnel) => {
  const [encapsulation, protocol] = tunnel;
  const end = `198.51.100.${protocol}`;
  const source = Address.parse("10.0.0.1")!;
  const outer = emitIpv4(
    { protocol, source, destination: Address.parse(end)!, dontFragment: true },
    new Uint8Array(1400),
  );
  const message = emitIpv4(
    { protocol: IP_PROTOCOL.icmp, source: Address.parse("10.0.0.2")!, destination: source },
    fragmentationNeeded(1300, outer, 0, outer.length),
  );
  const hostMac = host.run("cat /sys/class/net/eth0/address").trim().replaceAll(":", "");
  const frame = `${hostMac}0200000000990800${Buffer.from(message).toString("hex")}`;
  const learnt = async () => {
    await wires.ask(JSON.stringify(["send", "eth0", frame]));
    return host.run(`ip route get ${end}`);
  };
  await ask("learn");
  expect(await learnt()).not.toContain("mtu");
  await ask(`learn ${encapsulation}`);
  await expect.poll(learnt, PATIENT).toContain("mtu 1300");
  expect(await ask(`route ${end}`)).toBe(1300);
});
