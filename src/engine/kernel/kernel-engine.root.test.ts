import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import { BenchNetwork, UserspaceBench } from "../../../test/userspace/bench.ts";
import type { DesiredState } from "../../ipvs/desired/desired-state.ts";
import { EMPTY_STATE, setTimeouts } from "../../ipvs/desired/desired-state.ts";
import { changed, INET, INET6, packet, seen, sees, state } from "../contract/watching.contract.ts";
import { describeEngine } from "../engine.contract.ts";

/** Counters are shown as of the last estimation, up to 2 s ago. */
const ESTIMATED = { timeout: 5_000, interval: 100 };
const POLLED = { timeout: 10_000, interval: 100 };

let network: BenchNetwork;

beforeAll(async () => {
  network = await BenchNetwork.open();
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

const open = () => UserspaceBench.open(network, "kernel");

describeEngine("the kernel engine", open);

const NOBODY = "10.1.0.99";
const ROUTE = state("-A -t V:80", "-a -t V:80 -r R1");
const MASQUERADE = state("-A -t V:80", "-a -t V:80 -r R1:8080 -m");

describe("the kernel engine", () => {
  // biome-ignore format: a table
  const ways: [what: string, state: DesiredState, sent: string, arrives: string][] = [
    ["direct routing", ROUTE,                                              "C:1000 > V:80 P. len 700",   "C:1000 > V:80 P. len 700 ttl 63"],
    ["a tunnel",       state("-A -t V:80", "-a -t V:80 -r R1 -i"),         "C:1000 > V:80 P. len 700",   "D > R1 ttl 63 in ipip C:1000 > V:80 P. len 700 ttl 63"],
    ["NAT",            MASQUERADE,                                         "C:1000 > V:80 P. len 700",   "C:1000 > R1:8080 P. len 700 ttl 63"],
    ["UDP by NAT",     state("-A -u V:53", "-a -u V:53 -r R1:5353 -m"),    "C:1000 > V:53 udp len 60",   "C:1000 > R1:5353 udp len 60 ttl 63"],
  ];

  test.for(ways)("forwards known flows itself: %s", async ([, desired, sent, arrives]) => {
    await using bench = await open();
    await applySettled(bench, desired);
    await open3(bench, sent.includes("udp") ? sent : "C:1000 > V:80 S");
    const before = await byKernel(bench);
    expect(await sees(bench, "C", sent)).toEqual([`R1: ${arrives}`]);
    expect(await byKernel(bench)).toBe(before + 1);
  });

  test("forwards replies itself, and counts both directions", async () => {
    await using bench = await open();
    await applySettled(bench, MASQUERADE);
    await open3(bench, "C:1000 > V:80 S");
    await sees(bench, "R1", "R1:8080 > C:1000 .");
    const before = await byKernel(bench);
    expect(await sees(bench, "R1", "R1:8080 > C:1000 P. len 1000")).toEqual([
      "C: V:80 > C:1000 P. len 1000 ttl 63",
    ]);
    expect(await sees(bench, "C", "C:1000 > V:80 .")).toHaveLength(1);
    expect(await byKernel(bench)).toBe(before + 2);
    const counters = async () => (await bench.engine.services())[0]?.counters;
    await expect
      .poll(counters, ESTIMATED)
      .toEqual({ connections: 1, inPackets: 3, inBytes: 120, outPackets: 3, outBytes: 1080 });
  });

  test("forwards IPv6 itself, both ways", async () => {
    await using bench = await open();
    const commands = ["-A -t V:80", "-a -t V:80 -r R1:8080 -m"];
    await applySettled(
      bench,
      commands.reduce((now, text) => command(now, text, INET6), EMPTY_STATE),
    );
    await sees(bench, "C", "C:1000 > V:80 S", INET6);
    await sees(bench, "R1", "R1:8080 > C:1000 S.", INET6);
    await sees(bench, "C", "C:1000 > V:80 .", INET6);
    await sees(bench, "R1", "R1:8080 > C:1000 .", INET6);
    const before = await byKernel(bench);
    expect(await sees(bench, "C", "C:1000 > V:80 P. len 99", INET6)).toEqual([
      "R1: C:1000 > R1:8080 P. len 99 ttl 63",
    ]);
    expect(await sees(bench, "R1", "R1:8080 > C:1000 P. len 77", INET6)).toEqual([
      "C: V:80 > C:1000 P. len 77 ttl 63",
    ]);
    expect(await byKernel(bench)).toBe(before + 2);
  });

  test("opens connections where packets arrive, if it is told to: no rule of the host's sees them", async () => {
    await using bench = await UserspaceBench.open(network, "kernel wire");
    await applySettled(bench, state("-A -t V:80 -s rr", "-a -t V:80 -r R1", "-a -t V:80 -r R2"));
    const servers = async (port: number) => (await sees(bench, "C", `C:${port} > V:80 S`)).join();
    // Of each server the first packet tells the way.
    await servers(1000);
    await servers(1001);
    expect((await bench.engine.condition()).stand).toMatch(/^where packets arrive/);
    const add = (what: string) => network.director.run(`nft add ${what}`);
    add("table ip ban");
    try {
      add("chain ip ban input { type filter hook input priority 0 ; }");
      add("rule ip ban input tcp dport 80 drop");
      const stand = async () => (await bench.engine.condition()).stand;
      await expect.poll(stand, POLLED).toContain("ip ban input (1 rule)");
      let port = 2000;
      await expect.poll(() => servers(port++), POLLED).toMatch(/^R1/);
      const before = await byKernel(bench);
      expect(await servers(port++)).toMatch(/^R2/);
      expect(await byKernel(bench)).toBe(before + 1);
    } finally {
      network.director.run("nft delete table ip ban");
    }
  });

  test("moves a connection on by itself, which the director hears of", async () => {
    await using bench = await open();
    await applySettled(bench, ROUTE);
    await open3(bench, "C:1000 > V:80 S");
    const before = await byKernel(bench);
    await sees(bench, "C", "C:1000 > V:80 F.");
    await expect.poll(() => states(bench), POLLED).toContain("FIN_WAIT");
    expect(await sees(bench, "C", "C:1000 > V:80 .")).toHaveLength(1);
    expect(await byKernel(bench)).toBe(before + 2);
  });

  test("opens connections by itself, behind the host's firewall", async () => {
    await using bench = await open();
    await applySettled(bench, state("-A -t V:80 -s rr", "-a -t V:80 -r R1", "-a -t V:80 -r R2"));
    const servers = async (port: number) => (await sees(bench, "C", `C:${port} > V:80 S`)).join();
    // Of each server the first packet tells the way.
    await servers(1000);
    await servers(1001);
    const opened = async () => (await bench.engine.reasons())["kernel-opened"] ?? Number.NaN;
    const before = [await opened(), await byKernel(bench)] as const;
    expect(await servers(1002)).toBe("R2: C:1002 > V:80 S ttl 63");
    expect(await servers(1003)).toBe("R1: C:1003 > V:80 S ttl 63");
    expect([await opened(), await byKernel(bench)]).toEqual([before[0] + 2, before[1] + 2]);
    const statuses = await bench.engine.services();
    const counts = statuses[0]?.destinations.map(({ activeConnections }) => activeConnections);
    expect(counts).toEqual([2, 2]);
    network.director.run("nft add table ip ban");
    try {
      const add = (what: string) => network.director.run(`nft add ${what}`);
      add("chain ip ban input { type filter hook input priority 0 ; }");
      add("rule ip ban input tcp dport 80 drop");
      await expect.poll(() => servers(1004), POLLED).toBe("");
      expect(await servers(1005)).toBe("");
    } finally {
      network.director.run("nft delete table ip ban");
    }
  });

  // biome-ignore format: a table
  const others: [what: string, row: string][] = [
    ["whose time to live ends here", "C:1000 > V:80 . ttl 1"],
    ["of another connection",         "C:1001 > V:80 ."],
  ];

  test.for(others)("leaves a packet to the host %s", async ([, row]) => {
    await using bench = await open();
    await bench.engine.apply(ROUTE);
    await open3(bench, "C:1000 > V:80 S");
    const before = await byKernel(bench);
    await bench.send("C", packet(row));
    expect((await bench.arrivals()).filter(({ at }) => at === "R1")).toEqual([]);
    expect(await byKernel(bench)).toBe(before);
  });

  test("leaves a packet that is too long for its way to the director, which cuts it", async () => {
    await using bench = await open();
    await bench.engine.apply(ROUTE);
    const { director } = network;
    director.run("ip link set inside mtu 1000");
    try {
      const pieces = async () => {
        await open3(bench, "C:1000 > V:80 S");
        return (await sees(bench, "C", "C:1000 > V:80 . len 1400")).length;
      };
      await expect.poll(pieces, POLLED).toBe(2);
      const before = await byKernel(bench);
      expect(await pieces()).toBe(2);
      expect(await sees(bench, "C", "C:1000 > V:80 . len 900")).toHaveLength(1);
      expect(await byKernel(bench)).toBe(before + 1);
    } finally {
      director.run("ip link set inside mtu 1500");
    }
  });

  test("leaves a packet with a wrong header checksum to the host, which drops it", async () => {
    await using bench = await open();
    await bench.engine.apply(ROUTE);
    await open3(bench, "C:1000 > V:80 S");
    const wrong = packet("C:1000 > V:80 . len 10");
    wrong[10]! ^= 1;
    await bench.send("C", wrong);
    expect(seen(await bench.arrivals())).toEqual([]);
  });

  test("stops at the next packet where the firewall changes", async () => {
    await using bench = await open();
    await bench.engine.apply(ROUTE);
    await open3(bench, "C:1000 > V:80 S");
    const { director } = network;
    director.run("nft add table ip ban");
    try {
      director.run("nft add chain ip ban input { type filter hook input priority 0 ; }");
      director.run("nft add rule ip ban input tcp dport 80 drop");
      await expect.poll(() => sees(bench, "C", "C:1000 > V:80 ."), POLLED).toEqual([]);
    } finally {
      director.run("nft delete table ip ban");
    }
    await expect.poll(() => sees(bench, "C", "C:1000 > V:80 ."), POLLED).toHaveLength(1);
  });

  // biome-ignore format: a table
  const onlooking: [what: string, rule: string, told: string, sent: string][] = [
    ["counts",                             "tcp dport 80 counter",              "ip look input",       "C:1000 > V:80 ."],
    ["limits",                             "tcp dport 80 limit rate 9/second",  "ip look input",       "C:1000 > V:80 ."],
    ["asks connection tracking, of TCP",   "ct state invalid counter",          "connection tracking", "C:1000 > V:80 ."],
  ];

  test.for(onlooking)("shows a rule that %s every packet, and forwards it behind", async (row) => {
    const [, rule, told, sent] = row;
    await using bench = await open();
    await applySettled(bench, ROUTE);
    await open3(bench, "C:1000 > V:80 S");
    const stand = async () => (await bench.engine.condition()).stand;
    expect(await stand()).toBe("at netfilter's hooks, behind the host's firewall");
    const { director } = network;
    director.run("nft add table ip look");
    try {
      director.run("nft add chain ip look input { type filter hook input priority 0 ; }");
      director.run("nft add rule ip look input counter");
      director.run(`nft add rule ip look input ${rule}`);
      await expect.poll(stand, POLLED).toContain(told);
      const counted = () =>
        Number(/counter packets (\d+)/.exec(director.run("nft list chain ip look input"))![1]);
      await openSettled(bench, sent);
      const before = [counted(), await byKernel(bench)] as const;
      for (let packets = 0; packets < 3; packets++) {
        expect(await sees(bench, "C", sent)).toHaveLength(1);
      }
      expect(await byKernel(bench)).toBe(before[1] + 3);
      expect(counted()).toBeGreaterThanOrEqual(before[0] + 3);
    } finally {
      director.run("nft delete table ip look");
    }
    await expect.poll(stand, POLLED).not.toContain("every packet");
  });

  test("shows rules that look at no more than its ends a connection's first packets", async () => {
    await using bench = await open();
    await applySettled(bench, ROUTE);
    const { director } = network;
    director.run("nft add table ip look");
    try {
      director.run("nft add chain ip look input { type filter hook input priority 0 ; }");
      director.run("nft add rule ip look input ip saddr 203.0.113.7 tcp dport 80 drop");
      await open3(bench, "C:1000 > V:80 S");
      await openSettled(bench, "C:1000 > V:80 .");
      expect((await bench.engine.condition()).stand).not.toContain("every packet");
    } finally {
      director.run("nft delete table ip look");
    }
  });

  test("counts a connection's end as what it was, though none of its packets ever went out", async () => {
    await using bench = await open();
    // Nobody answers for the server.
    const desired = state("-A -t V:80", `-a -t V:80 -r ${NOBODY}`);
    await applySettled(bench, setTimeouts(desired, { tcp: 1, tcpFin: 1, udp: 1 }));
    const counts = async () =>
      (await bench.engine.services())
        .flatMap(({ destinations }) => destinations)
        .map(({ activeConnections, inactiveConnections }) => [
          activeConnections,
          inactiveConnections,
        ]);
    await sees(bench, "C", "C:1000 > V:80 S");
    await sees(bench, "C", "C:1000 > V:80 .");
    await expect.poll(counts, POLLED).toContainEqual([1, 0]);
    await expect.poll(() => states(bench), POLLED).not.toContain("ESTABLISHED");
    // One whose time is over is listed no more, and counts until it is ended.
    await expect.poll(async () => (await counts())[0], POLLED).toEqual([0, 0]);
  });

  test("stops where the VIP is no longer the host's", async () => {
    await using bench = await open();
    await bench.engine.apply(ROUTE);
    await open3(bench, "C:1000 > V:80 S");
    const { director } = network;
    // The host would ask for it as for a neighbour, and say some time later that there is none.
    director.run("ip route add blackhole 10.9.0.100/32");
    director.run("ip address del 10.9.0.100/32 dev outside");
    try {
      const becomesOfPacket = async () => {
        const before = await byKernel(bench);
        const rows = await sees(bench, "C", "C:1000 > V:80 .");
        const arrives = rows.some((row) => row.startsWith("R1:"));
        return { arrives, byKernel: (await byKernel(bench)) - before };
      };
      await expect.poll(becomesOfPacket, POLLED).toEqual({ arrives: false, byKernel: 0 });
    } finally {
      director.run("ip route del blackhole 10.9.0.100/32");
      director.run("ip address add 10.9.0.100/32 dev outside");
    }
  });

  test("follows a server whose link-layer address changes", async () => {
    await using bench = await open();
    await bench.engine.apply(ROUTE);
    await open3(bench, "C:1000 > V:80 S");
    const server = INET.address("R1").toString();
    const set = (mac: string) =>
      network.director.run(`ip neighbour replace ${server} lladdr ${mac} dev inside nud permanent`);
    const known = network.director.run(`ip neighbour show ${server} dev inside`);
    const own = /lladdr (\S+)/.exec(known)![1]!;
    set("02:00:00:00:00:22");
    try {
      await expect
        .poll(() => sees(bench, "C", "C:1000 > V:80 ."), POLLED)
        .toEqual(["R2: C:1000 > V:80 . ttl 63"]);
    } finally {
      set(own);
    }
  });

  test("keeps a connection for as long as its packets go by, and no longer", async () => {
    await using bench = await open();
    await bench.engine.apply(setTimeouts(ROUTE, { tcp: 2, tcpFin: 2, udp: 2 }));
    await open3(bench, "C:1000 > V:80 S");
    const before = await byKernel(bench);
    const until = performance.now() + 5_000;
    let sent = 0;
    while (performance.now() < until) {
      expect(await sees(bench, "C", "C:1000 > V:80 .")).toEqual(["R1: C:1000 > V:80 . ttl 63"]);
      sent++;
    }
    expect(await byKernel(bench)).toBeGreaterThan(before + sent / 2);
    expect(await states(bench)).toEqual(["ESTABLISHED"]);
    await expect.poll(() => states(bench), POLLED).toEqual([]);
  });

  test("takes an interface in that comes later", async () => {
    await using bench = await open();
    await bench.engine.apply(ROUTE);
    const { director } = network;
    director.run("ip link add later type veth peer name peer");
    try {
      const runs = () => director.run("ip -details link show later");
      await expect.poll(runs, POLLED).toMatch(/later/);
      director.run("ip link set later up");
    } finally {
      director.run("ip link del later");
    }
    await open3(bench, "C:1000 > V:80 S");
    expect(await sees(bench, "C", "C:1000 > V:80 .")).toHaveLength(1);
  });
});

/** Opens a connection as far as its client's packets do, so that the next is of a known flow. */
/**
 * What the engine itself set up on the host at its start comes back as news, some of them when packets flow already, and
 * all that is known is learnt anew then. So another service's flow goes first, until it stays known.
 */
async function applySettled(bench: UserspaceBench, desired: DesiredState): Promise<void> {
  await bench.engine.apply(changed(desired, "-A -u V:9", "-a -u V:9 -r R1 -m"));
  let inARow = 0;
  const tryAgain = async (): Promise<number> => {
    const before = await byKernel(bench);
    await sees(bench, "C", "C:999 > V:9 udp len 1");
    inARow = (await byKernel(bench)) > before ? inARow + 1 : 0;
    return inARow;
  };
  await expect.poll(tryAgain, POLLED).toBeGreaterThan(2);
}

/** Until packets of the connection go on without the director. */
async function openSettled(bench: UserspaceBench, sent: string): Promise<void> {
  const isForwarded = async (): Promise<boolean> => {
    const before = await byKernel(bench);
    await sees(bench, "C", sent);
    return (await byKernel(bench)) > before;
  };
  await expect.poll(isForwarded, POLLED).toBe(true);
}

async function open3(bench: UserspaceBench, first: string): Promise<void> {
  await sees(bench, "C", first);
  if (first.includes("udp")) return;
  await sees(bench, "R1", "R1:8080 > C:1000 S.");
  await sees(bench, "C", first.replace(/S$/, "."));
}

/** Packets that went on without the director: all that did, less the director's. */
async function byKernel(bench: UserspaceBench): Promise<number> {
  const reasons = await bench.engine.reasons();
  return reasons["kernel-forwarded"] ?? Number.NaN;
}

async function states(bench: UserspaceBench): Promise<string[]> {
  const states: string[] = [];
  for await (const { state: name } of bench.engine.connections()) states.push(name);
  return states;
}
