/**
 * What every engine promises. Each engine's own test file calls describeEngine() with its own bench.
 *
 * The bench's network: clients on one side of the director, real servers on the other, every one of them played by
 * the test packet by packet. VIPs 192.0.2.100 and .101, 2001:db8::100; the director's own addresses are 192.0.2.1 and
 * 10.1.0.1, and it forwards.
 */
import { describe, expect, test } from "vitest";
import { describePacket, packet, portUnreachable } from "../../test/packet-text.ts";
import { destination, serviceKey, state } from "../../test/states.ts";
import type { Instant } from "../base/clock.ts";
import {
  addDestination,
  addService,
  type DesiredState,
  deleteDestination,
  deleteService,
  EMPTY_STATE,
  editDestination,
  editService,
} from "../ipvs/desired-state.ts";
import { formatEndpoint, formatServiceKey } from "../ipvs/service.ts";
import { fragmentIpv4 } from "../net/fragmentation.ts";
import { Ipv4View } from "../net/ipv4.ts";
import { Reassembler } from "../net/reassembly.ts";
import type { ConnectionStatus, Engine } from "./engine.ts";

/** 192.0.2.10 and .11 (clients); 10.1.0.11 and .12 (servers); 2001:db8::10, ..., 2001:db8:1::12. */
export type Station = "client" | "other" | "server1" | "server2";

export interface Arrival {
  readonly at: Station;
  readonly packet: Uint8Array;
}

/** An engine on a test bench: it can be sent packets, and what comes out can be watched. */
export interface Bench extends AsyncDisposable {
  readonly engine: Engine;
  /** Puts IP packets on the wire, from a station to the director. */
  send(station: Station, ...packets: Uint8Array[]): Promise<void>;
  /** What reached stations since the last call, when everything that was sent so far has been dealt with. */
  arrivals(): Promise<readonly Arrival[]>;
}

const HTTP = "tcp 192.0.2.100:80";
const HTTPS = "tcp 192.0.2.100:443";
const DNS = "udp 192.0.2.100:53";
const SYN = "tcp 192.0.2.10:40000 > 192.0.2.100:80 syn";
const ACK = "tcp 192.0.2.10:40000 > 192.0.2.100:80 ack";
/** What the host's own stack says to a segment for a port that nobody listens on. */
const HOST_REFUSES = "client: tcp 192.0.2.100:80 > 192.0.2.10:40000 rst,ack ttl 64";

/** Counters are shown as of the last estimation, up to 2 s ago. */
const ESTIMATED = { timeout: 5_000, interval: 100 };

export function describeEngine(name: string, open: () => Promise<Bench>): void {
  describe(`${name} keeps the engine contract`, () => {
    describe("without a service", () => {
      test("leaves every packet to the host and forwards none", async () => {
        await using bench = await open();
        expect(await sees(bench, "client", SYN)).toEqual([HOST_REFUSES]);
        await bench.engine.apply(EMPTY_STATE);
        expect(await sees(bench, "client", SYN)).toEqual([HOST_REFUSES]);
        expect(await bench.engine.services()).toEqual([]);
      });

      test("leaves other ports, protocols and addresses to the host", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:80"] } }));
        for (const [to, answer] of [
          ["tcp 192.0.2.10:40000 > 192.0.2.100:81 syn", "tcp 192.0.2.100:81 > 192.0.2.10:40000"],
          ["tcp 192.0.2.10:40000 > 192.0.2.101:80 syn", "tcp 192.0.2.101:80 > 192.0.2.10:40000"],
        ] as const) {
          expect(await sees(bench, "client", to)).toEqual([`client: ${answer} rst,ack ttl 64`]);
        }
        const udp = "udp 192.0.2.10:40000 > 192.0.2.100:80 ttl 64";
        expect(await sees(bench, "client", udp)).toEqual([
          `client: icmp 192.0.2.100 > 192.0.2.10 port unreachable ttl 64 {${udp}}`,
        ]);
      });
    });

    describe("forwards", () => {
      // biome-ignore format: a table
      const ways: [way: string, service: string, server: string, sent: string, arrives: string][] = [
        ["by direct routing", HTTP, "10.1.0.11:80 route", SYN,
          "tcp 192.0.2.10:40000 > 192.0.2.100:80 syn ttl 63"],
        ["by NAT", HTTP, "10.1.0.11:80 masquerade", SYN,
          "tcp 192.0.2.10:40000 > 10.1.0.11:80 syn ttl 63"],
        ["by NAT to another port", HTTP, "10.1.0.11:8080 masquerade", SYN,
          "tcp 192.0.2.10:40000 > 10.1.0.11:8080 syn ttl 63"],
        ["through a tunnel", HTTP, "10.1.0.11:80 tunnel", SYN,
          "ipip 10.1.0.1 > 10.1.0.11 ttl 63 {tcp 192.0.2.10:40000 > 192.0.2.100:80 syn ttl 63}"],
        ["a datagram by direct routing", DNS, "10.1.0.11:53 route",
          'udp 192.0.2.10:40000 > 192.0.2.100:53 "where?"',
          'udp 192.0.2.10:40000 > 192.0.2.100:53 ttl 63 "where?"'],
        ["a datagram by NAT", DNS, "10.1.0.11:5353 masquerade",
          'udp 192.0.2.10:40000 > 192.0.2.100:53 "where?"',
          'udp 192.0.2.10:40000 > 10.1.0.11:5353 ttl 63 "where?"'],
        ["IPv6 by direct routing", "tcp [2001:db8::100]:80", "[2001:db8:1::11]:80 route",
          "tcp [2001:db8::10]:40000 > [2001:db8::100]:80 syn",
          "tcp [2001:db8::10]:40000 > [2001:db8::100]:80 syn ttl 63"],
        ["IPv6 by NAT", "tcp [2001:db8::100]:80", "[2001:db8:1::11]:8080 masquerade",
          "tcp [2001:db8::10]:40000 > [2001:db8::100]:80 syn",
          "tcp [2001:db8::10]:40000 > [2001:db8:1::11]:8080 syn ttl 63"],
      ];

      test.for(ways)(
        "%s, and nobody else sees the packet",
        async ([, service, server, sent, arrives]) => {
          await using bench = await open();
          await bench.engine.apply(state({ [service]: { to: [server] } }));
          expect(await sees(bench, "client", sent)).toEqual([`server1: ${arrives}`]);
        },
      );

      // biome-ignore format: a table
      const replies: [what: string, service: string, server: string, request: string, reply: string, arrives: string][] = [
        ["TCP", HTTP, "10.1.0.11:8080 masquerade", SYN,
          "tcp 10.1.0.11:8080 > 192.0.2.10:40000 syn,ack",
          "tcp 192.0.2.100:80 > 192.0.2.10:40000 syn,ack ttl 63"],
        ["UDP", DNS, "10.1.0.11:5353 masquerade",
          'udp 192.0.2.10:40000 > 192.0.2.100:53 "where?"',
          'udp 10.1.0.11:5353 > 192.0.2.10:40000 "there"',
          'udp 192.0.2.100:53 > 192.0.2.10:40000 ttl 63 "there"'],
        ["IPv6", "tcp [2001:db8::100]:80", "[2001:db8:1::11]:8080 masquerade",
          "tcp [2001:db8::10]:40000 > [2001:db8::100]:80 syn",
          "tcp [2001:db8:1::11]:8080 > [2001:db8::10]:40000 syn,ack",
          "tcp [2001:db8::100]:80 > [2001:db8::10]:40000 syn,ack ttl 63"],
      ];

      test.for(replies)(
        "NAT's replies as the service's: %s",
        async ([, service, server, request, reply, arrives]) => {
          await using bench = await open();
          await bench.engine.apply(state({ [service]: { to: [server] } }));
          await sees(bench, "client", request);
          expect(await sees(bench, "server1", reply)).toEqual([`client: ${arrives}`]);
        },
      );

      test("what a masqueraded server sends of its own, unchanged, once", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:80 masquerade"] } }));
        expect(await sees(bench, "server1", "tcp 10.1.0.11:80 > 192.0.2.11:40000 syn,ack")).toEqual(
          ["other: tcp 10.1.0.11:80 > 192.0.2.11:40000 syn,ack ttl 63"],
        );
        expect(await sees(bench, "server1", "tcp 10.1.0.11:999 > 192.0.2.11:40000 ack")).toEqual([
          "other: tcp 10.1.0.11:999 > 192.0.2.11:40000 ack ttl 63",
        ]);
      });

      test("fragments of a datagram as whole datagrams, both ways", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [DNS]: { to: ["10.1.0.11:5353 masquerade"] } }));
        const question = "q".repeat(4000);
        await bench.send(
          "client",
          ...fragments(`udp 192.0.2.10:40000 > 192.0.2.100:53 "${question}"`),
        );
        expect(reassembled(await bench.arrivals())).toEqual([
          says("server1", `udp 192.0.2.10:40000 > 10.1.0.11:5353 ttl 63 "${question}"`),
        ]);
        const answer = "a".repeat(4000);
        await bench.send(
          "server1",
          ...fragments(`udp 10.1.0.11:5353 > 192.0.2.10:40000 "${answer}"`),
        );
        expect(reassembled(await bench.arrivals())).toEqual([
          says("client", `udp 192.0.2.100:53 > 192.0.2.10:40000 ttl 63 "${answer}"`),
        ]);
      });

      test("fragments that are no service's, as the host would", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [DNS]: { to: ["10.1.0.11:5353 masquerade"] } }));
        const text = "x".repeat(4000);
        await bench.send("server1", ...fragments(`udp 10.1.0.11:999 > 192.0.2.11:40000 "${text}"`));
        expect(reassembled(await bench.arrivals())).toEqual([
          says("other", `udp 10.1.0.11:999 > 192.0.2.11:40000 ttl 63 "${text}"`),
        ]);
      });

      test("NAT to any port, both ways", async () => {
        await using bench = await open();
        const service = "tcp 192.0.2.100:0";
        await bench.engine.apply(
          state({ [service]: { to: ["10.1.0.11:0 masquerade"], persistent: true } }),
        );
        expect(await sees(bench, "client", "tcp 192.0.2.10:40000 > 192.0.2.100:99 syn")).toEqual([
          "server1: tcp 192.0.2.10:40000 > 10.1.0.11:99 syn ttl 63",
        ]);
        expect(await sees(bench, "server1", "tcp 10.1.0.11:99 > 192.0.2.10:40000 syn,ack")).toEqual(
          ["client: tcp 192.0.2.100:99 > 192.0.2.10:40000 syn,ack ttl 63"],
        );
      });

      test("persistent FTP's data connections, both ways", async () => {
        await using bench = await open();
        const to = ["10.1.0.11:21 masquerade"];
        await bench.engine.apply(state({ "tcp 192.0.2.100:21": { to, persistent: true } }));
        await sees(bench, "client", "tcp 192.0.2.10:40000 > 192.0.2.100:21 syn");
        expect(await sees(bench, "client", "tcp 192.0.2.10:40001 > 192.0.2.100:5000 syn")).toEqual([
          "server1: tcp 192.0.2.10:40001 > 10.1.0.11:5000 syn ttl 63",
        ]);
        expect(
          await sees(bench, "server1", "tcp 10.1.0.11:5000 > 192.0.2.10:40001 syn,ack"),
        ).toEqual(["client: tcp 192.0.2.100:5000 > 192.0.2.10:40001 syn,ack ttl 63"]);
      });

      test("a server's ICMP error to the client, as the service's", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [DNS]: { to: ["10.1.0.11:5353 masquerade"] } }));
        await bench.send("client", packet("udp 192.0.2.10:40000 > 192.0.2.100:53"));
        const [request] = await bench.arrivals();
        await bench.send("server1", portUnreachable("10.1.0.11", request!.packet));
        expect(seen(await bench.arrivals())).toEqual([
          "client: icmp 192.0.2.100 > 192.0.2.10 port unreachable ttl 63 {udp 192.0.2.10:40000 > 192.0.2.100:53 ttl 63}",
        ]);
      });

      test("a client's ICMP error to the server", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [DNS]: { to: ["10.1.0.11:5353 masquerade"] } }));
        await bench.send("client", packet("udp 192.0.2.10:40000 > 192.0.2.100:53"));
        await bench.send("server1", packet("udp 10.1.0.11:5353 > 192.0.2.10:40000"));
        const reply = (await bench.arrivals()).find(({ at }) => at === "client");
        await bench.send("client", portUnreachable("192.0.2.10", reply!.packet));
        expect(seen(await bench.arrivals())).toEqual([
          "server1: icmp 192.0.2.10 > 10.1.0.11 port unreachable ttl 63 {udp 10.1.0.11:5353 > 192.0.2.10:40000 ttl 63}",
        ]);
      });
    });

    describe("refuses", () => {
      test("a packet that no destination may take, with ICMP port unreachable", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:80 w0"] } }));
        expect(await sees(bench, "client", SYN)).toEqual([
          `client: icmp 192.0.2.100 > 192.0.2.10 port unreachable ttl 64 {${SYN} ttl 64}`,
        ]);
      });

      test("a packet whose time to live ends here, with ICMP time exceeded", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:80"] } }));
        expect(await sees(bench, "client", `${SYN} ttl 1`)).toEqual([
          `client: icmp 192.0.2.100 > 192.0.2.10 time exceeded ttl 64 {${SYN} ttl 1}`,
        ]);
      });

      test("a segment that opens no connection and belongs to none, by the host's own answer", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:80"] } }));
        expect(await sees(bench, "client", ACK)).toEqual([
          "client: tcp 192.0.2.100:80 > 192.0.2.10:40000 rst ttl 64",
        ]);
      });
    });

    describe("connections", () => {
      test("count once, and keep their destination", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:80", "10.1.0.12:80"] } }));
        const home = await stationOf(bench, SYN);
        for (const line of [SYN, ACK, ACK]) expect(await stationOf(bench, line)).toBe(home);
        await expect
          .poll(() => countersOf(bench, HTTP), ESTIMATED)
          .toMatchObject({ connections: 1, inPackets: 4, inBytes: 160, outPackets: 0 });
        const { counters } = await bench.engine.totals();
        expect(counters).toMatchObject({ connections: 1, inPackets: 4 });
      });

      test("of one client go to different destinations, unless the service is persistent", async () => {
        await using bench = await open();
        const to = ["10.1.0.11:80", "10.1.0.12:80"];
        await bench.engine.apply(state({ [HTTP]: { to }, [HTTPS]: { to, persistent: true } }));
        expect(await homesOf(bench, "80")).toEqual(new Set(["server1", "server2"]));
        expect((await homesOf(bench, "443")).size).toBe(1);
      });

      test("are listed while they live", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:8080 masquerade"] } }));
        await sees(bench, "client", SYN);
        await sees(bench, "server1", "tcp 10.1.0.11:8080 > 192.0.2.10:40000 syn,ack");
        await sees(bench, "client", ACK);
        const [connection, ...others] = await listed(bench.engine);
        expect(others).toEqual([]);
        expect(connection).toMatchObject({ protocol: "TCP", state: "ESTABLISHED" });
        const { client, virtual, destination } = connection!;
        expect([client, virtual, destination].map(formatEndpoint)).toEqual([
          "192.0.2.10:40000",
          "192.0.2.100:80",
          "10.1.0.11:8080",
        ]);
        expect(connection!.expiresInMs).toBeGreaterThan(890_000);
        expect(connection!.expiresInMs).toBeLessThanOrEqual(900_000);
      });

      test("are counted as active and inactive", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:80"] } }));
        await sees(bench, "client", SYN);
        await sees(bench, "client", "tcp 192.0.2.10:40001 > 192.0.2.100:80 syn");
        await sees(bench, "client", "tcp 192.0.2.10:40001 > 192.0.2.100:80 fin,ack");
        const [service] = await bench.engine.services();
        expect(service?.destinations).toMatchObject([
          { activeConnections: 1, inactiveConnections: 1 },
        ]);
      });

      test("of one-packet services are forgotten at once", async () => {
        await using bench = await open();
        const to = ["10.1.0.11:53", "10.1.0.12:53"];
        await bench.engine.apply(state({ [DNS]: { to, onePacket: true } }));
        const line = "udp 192.0.2.10:40000 > 192.0.2.100:53";
        const homes = [await stationOf(bench, line), await stationOf(bench, line)];
        expect(new Set(homes)).toEqual(new Set(["server1", "server2"]));
        expect(await listed(bench.engine)).toEqual([]);
      });
    });

    describe("apply()", () => {
      test("keeps a connection on a destination whose weight falls to 0", async () => {
        await using bench = await open();
        const before = state({ [HTTP]: { to: ["10.1.0.11:80", "10.1.0.12:80"] } });
        await bench.engine.apply(before);
        const home = await stationOf(bench, SYN);
        const drained = home === "server1" ? "10.1.0.11:80 w0" : "10.1.0.12:80 w0";
        await bench.engine.apply(editDestination(before, serviceKey(HTTP), destination(drained)));
        expect(await stationOf(bench, ACK)).toBe(home);
        const homes = await homesOf(bench, "80");
        expect(homes).toEqual(new Set([home === "server1" ? "server2" : "server1"]));
      });

      test("keeps connections when a service is edited", async () => {
        await using bench = await open();
        const before = state({ [HTTP]: { to: ["10.1.0.11:80", "10.1.0.12:80"] } });
        await bench.engine.apply(before);
        const home = await stationOf(bench, SYN);
        const plan = before.services.values().next().value!;
        await bench.engine.apply(editService(before, { ...plan, scheduler: "wlc" }));
        expect(await stationOf(bench, ACK)).toBe(home);
        expect((await bench.engine.services())[0]?.plan.scheduler).toBe("wlc");
      });

      test("keeps a connection's method when its destination gets another", async () => {
        await using bench = await open();
        const before = state({ [HTTP]: { to: ["10.1.0.11:80 masquerade"] } });
        await bench.engine.apply(before);
        await sees(bench, "client", SYN);
        const edited = destination("10.1.0.11:80 route");
        await bench.engine.apply(editDestination(before, serviceKey(HTTP), edited));
        expect(await sees(bench, "client", ACK)).toEqual([
          "server1: tcp 192.0.2.10:40000 > 10.1.0.11:80 ack ttl 63",
        ]);
        expect(await sees(bench, "server1", "tcp 10.1.0.11:80 > 192.0.2.10:40000 ack")).toEqual([
          "client: tcp 192.0.2.100:80 > 192.0.2.10:40000 ack ttl 63",
        ]);
      });

      test("drops the packets of a removed destination's connections until it is back", async () => {
        await using bench = await open();
        const whole = state({ [HTTP]: { to: ["10.1.0.11:80 masquerade"] } });
        await bench.engine.apply(whole);
        await sees(bench, "client", SYN);
        const server = destination("10.1.0.11:80 masquerade");
        const without = deleteDestination(whole, serviceKey(HTTP), server.endpoint);
        await bench.engine.apply(without);
        expect(await sees(bench, "client", ACK)).toEqual([]);
        expect(await sees(bench, "server1", "tcp 10.1.0.11:80 > 192.0.2.10:40000 ack")).toEqual([
          "client: tcp 192.0.2.100:80 > 192.0.2.10:40000 ack ttl 63",
        ]);
        await bench.engine.apply(addDestination(without, serviceKey(HTTP), server));
        expect(await sees(bench, "client", ACK)).toEqual([
          "server1: tcp 192.0.2.10:40000 > 10.1.0.11:80 ack ttl 63",
        ]);
      });

      test("gives the packets of a deleted service back to the host", async () => {
        await using bench = await open();
        const both = state({
          [HTTP]: { to: ["10.1.0.11:80"] },
          [HTTPS]: { to: ["10.1.0.11:443"] },
        });
        await bench.engine.apply(both);
        expect(await sees(bench, "client", SYN)).toEqual([`server1: ${SYN} ttl 63`]);
        const another = "tcp 192.0.2.10:40001 > 192.0.2.100:80 syn";
        const refused = "client: tcp 192.0.2.100:80 > 192.0.2.10:40001 rst,ack ttl 64";
        await bench.engine.apply(deleteService(both, serviceKey(HTTP)));
        expect(await sees(bench, "client", another)).toEqual([refused]);
        await bench.engine.apply(EMPTY_STATE);
        expect(await sees(bench, "client", another)).toEqual([refused]);
        await bench.engine.apply(both);
        expect(await sees(bench, "client", another)).toEqual([`server1: ${another} ttl 63`]);
      });

      test("changes nothing when it refuses", async () => {
        await using bench = await open();
        const before = state({ [HTTP]: { to: ["10.1.0.11:80"] } });
        await bench.engine.apply(before);
        expect(await sees(bench, "client", SYN)).toEqual([`server1: ${SYN} ttl 63`]);
        await expect(bench.engine.apply(impossible(before))).rejects.toThrow();
        const services = await bench.engine.services();
        expect(services.map(({ plan }) => formatServiceKey(plan.key))).toEqual([
          "TCP 192.0.2.100:80",
        ]);
        expect(services[0]?.destinations).toHaveLength(1);
        expect(await sees(bench, "client", ACK)).toEqual([`server1: ${ACK} ttl 63`]);
        expect(await sees(bench, "client", "tcp 192.0.2.10:40000 > 192.0.2.100:443 syn")).toEqual([
          "client: tcp 192.0.2.100:443 > 192.0.2.10:40000 rst,ack ttl 64",
        ]);
      });

      test("loses no packet while services come, change and go", async () => {
        await using bench = await open();
        let now = state({ [HTTP]: { to: ["10.1.0.11:80"] } });
        await bench.engine.apply(now);
        const server = destination("10.1.0.12:80 masquerade");
        let sent = 0;
        const changes = (async () => {
          for (let round = 0; round < 5; round++) {
            now = addDestination(now, serviceKey(HTTP), server);
            await bench.engine.apply(now);
            now = addService(now, {
              ...now.services.values().next().value!,
              key: serviceKey(HTTPS),
            });
            await bench.engine.apply(now);
            now = deleteService(now, serviceKey(HTTPS));
            await bench.engine.apply(now);
            now = deleteDestination(now, serviceKey(HTTP), server.endpoint);
            await bench.engine.apply(now);
          }
          return "done";
        })();
        while ((await Promise.race([changes, sleep(1)])) !== "done") {
          await bench.send(
            "client",
            packet(`tcp 192.0.2.10:${1000 + sent++} > 192.0.2.100:80 syn`),
          );
        }
        const arrived = (await bench.arrivals()).map(({ at }) => at);
        expect(sent).toBeGreaterThan(10);
        expect(arrived).toHaveLength(sent);
        expect(arrived.filter((at) => at !== "server1" && at !== "server2")).toEqual([]);
      });
    });

    describe("counters", () => {
      test("count both directions of NAT, by destination and service", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [DNS]: { to: ["10.1.0.11:53 masquerade"] } }));
        await sees(bench, "client", 'udp 192.0.2.10:40000 > 192.0.2.100:53 "where?"');
        await sees(bench, "server1", 'udp 10.1.0.11:53 > 192.0.2.10:40000 "there"');
        const counters = {
          connections: 1,
          inPackets: 1,
          inBytes: 34,
          outPackets: 1,
          outBytes: 33,
        };
        await expect.poll(() => countersOf(bench, DNS), ESTIMATED).toEqual(counters);
        const [service] = await bench.engine.services();
        expect(service?.destinations[0]?.counters).toEqual(counters);
      });

      test("restart when they are told to, one service's or all", async () => {
        await using bench = await open();
        const to = ["10.1.0.11:80"];
        await bench.engine.apply(state({ [HTTP]: { to }, [HTTPS]: { to } }));
        await sees(bench, "client", SYN);
        await sees(bench, "client", "tcp 192.0.2.10:40000 > 192.0.2.100:443 syn");
        await expect
          .poll(() => countersOf(bench, HTTPS), ESTIMATED)
          .toMatchObject({ inPackets: 1 });
        await bench.engine.zero(serviceKey(HTTP));
        expect(await countersOf(bench, HTTP)).toMatchObject({ connections: 0, inPackets: 0 });
        expect(await countersOf(bench, HTTPS)).toMatchObject({ connections: 1, inPackets: 1 });
        await bench.engine.zero(undefined);
        expect(await countersOf(bench, HTTPS)).toMatchObject({ connections: 0, inPackets: 0 });
        expect((await bench.engine.totals()).counters).toMatchObject({ connections: 0 });
        await expect(bench.engine.zero(serviceKey(DNS))).rejects.toThrow("No such service");
        expect(await listed(bench.engine)).toHaveLength(2);
      });

      test("say for which reasons packets left", async () => {
        await using bench = await open();
        await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:80"] } }));
        const before = await bench.engine.reasons();
        await sees(bench, "client", SYN);
        await sees(bench, "client", ACK);
        const after = await bench.engine.reasons();
        expect(after["forward-route"]! - before["forward-route"]!).toBe(2);
      });
    });

    test("gives everything back to the host when it is disposed", async () => {
      await using bench = await open();
      await bench.engine.apply(state({ [HTTP]: { to: ["10.1.0.11:80"] } }));
      expect(await sees(bench, "client", SYN)).toEqual([`server1: ${SYN} ttl 63`]);
      await bench.engine[Symbol.asyncDispose]();
      expect(await sees(bench, "client", SYN)).toEqual([HOST_REFUSES]);
    });
  });
}

/** What seen() says of a packet at a station. */
function says(at: Station, line: string): string {
  return `${at}: ${describePacket(packet(line))}`;
}

async function sees(bench: Bench, from: Station, line: string): Promise<string[]> {
  await bench.send(from, packet(line));
  return seen(await bench.arrivals());
}

function seen(arrivals: readonly Arrival[]): string[] {
  return arrivals.map(({ at, packet }) => `${at}: ${describePacket(packet)}`);
}

/** Where a client's packet comes out: "nowhere", or at more than one place, is no station. */
async function stationOf(bench: Bench, line: string): Promise<string> {
  await bench.send("client", packet(line));
  const stations = (await bench.arrivals()).map(({ at }) => at);
  return stations.join(" and ") || "nowhere";
}

/** Where six new connections of one client go. */
async function homesOf(bench: Bench, port: string): Promise<Set<string>> {
  const homes = new Set<string>();
  for (let client = 50_000; client < 50_006; client++) {
    homes.add(await stationOf(bench, `tcp 192.0.2.10:${client} > 192.0.2.100:${port} syn`));
  }
  return homes;
}

async function listed(engine: Engine): Promise<ConnectionStatus[]> {
  const connections: ConnectionStatus[] = [];
  for await (const connection of engine.connections()) connections.push(connection);
  return connections;
}

async function countersOf(bench: Bench, service: string) {
  const wanted = formatServiceKey(serviceKey(service));
  const services = await bench.engine.services();
  return services.find(({ plan }) => formatServiceKey(plan.key) === wanted)?.counters;
}

/** A state that no engine can run, though all but its last service could. */
function impossible(before: DesiredState): DesiredState {
  const [text, plan] = before.services.entries().next().value!;
  const services = new Map(before.services);
  services.set(text, { ...plan, destinations: [], revision: plan.revision + 1 });
  for (const each of [HTTPS, DNS]) {
    const key = serviceKey(each);
    services.set(formatServiceKey(key), { ...plan, key });
  }
  const scheduler = "of-nobody" as typeof plan.scheduler;
  services.set("last", { ...plan, key: serviceKey("tcp 192.0.2.101:80"), scheduler });
  return { ...before, services };
}

const MTU = 1500;

function fragments(line: string): Uint8Array[] {
  const whole = Ipv4View.over(packet(line)) as Ipv4View;
  return fragmentIpv4(whole, MTU) as Uint8Array[];
}

/** As seen(), with fragments put together again; those that make nothing whole are seen as they are. */
function reassembled(arrivals: readonly Arrival[]): string[] {
  const reassembler = new Reassembler();
  const incomplete = new Map<string, Arrival[]>();
  const whole = arrivals.flatMap((arrival) => {
    const view = Ipv4View.over(arrival.packet);
    if (typeof view === "string" || !view.isFragment) return seen([arrival]);
    const key = `${arrival.at} ${view.source} ${view.destination} ${view.identification}`;
    incomplete.set(key, [...(incomplete.get(key) ?? []), arrival]);
    const packet = reassembler.add(view, 0 as Instant);
    if (packet === undefined) return [];
    incomplete.delete(key);
    return seen([{ at: arrival.at, packet }]);
  });
  return [...whole, ...seen([...incomplete.values()].flat())];
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
