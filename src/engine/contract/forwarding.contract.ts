/** What is a service's goes where the service says, as the service says, and to nobody else. */
import { describe, expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import { EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { fragmentIpv4 } from "../../net/fragmentation.ts";
import { destinationUnreachable, UNREACHABLE_CODE } from "../../net/icmp.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4, Ipv4View } from "../../net/ipv4.ts";
import type { OpenBench } from "../engine.contract.ts";
import { INET, INET6, packet, seen, seenWhole, sees, state } from "./watching.contract.ts";

const DNS_BY_NAT = ["-A -u V:53", "-a -u V:53 -r R1:5353 -m"];
const MTU = 1500;

// biome-ignore format: a table
const ways: [way: string, service: string, server: string, sent: string, arrives: string][] = [
  ["direct routing",          "-t V:80", "-r R1 -g",      "C:1000 > V:80 S",          "C:1000 > V:80 S ttl 63"],
  ["NAT",                     "-t V:80", "-r R1 -m",      "C:1000 > V:80 S",          "C:1000 > R1:80 S ttl 63"],
  ["NAT to another port",     "-t V:80", "-r R1:8080 -m", "C:1000 > V:80 S",          "C:1000 > R1:8080 S ttl 63"],
  ["a tunnel",                "-t V:80", "-r R1 -i",      "C:1000 > V:80 S",          "D > R1 ttl 63 in ipip C:1000 > V:80 S ttl 63"],
  ["direct routing of UDP",   "-u V:53", "-r R1 -g",      "C:1000 > V:53 udp len 60", "C:1000 > V:53 udp len 60 ttl 63"],
  ["NAT of UDP",              "-u V:53", "-r R1:5353 -m", "C:1000 > V:53 udp len 60", "C:1000 > R1:5353 udp len 60 ttl 63"],
];

// biome-ignore format: a table
const replies: [what: string, service: string, server: string, request: string, reply: string, arrives: string][] = [
  ["TCP", "-t V:80", "-r R1:8080 -m", "C:1000 > V:80 S",   "R1:8080 > C:1000 S.",         "V:80 > C:1000 S. ttl 63"],
  ["UDP", "-u V:53", "-r R1:5353 -m", "C:1000 > V:53 udp", "R1:5353 > C:1000 udp len 60", "V:53 > C:1000 udp len 60 ttl 63"],
];

export function forwarding(open: OpenBench): void {
  describe("forwards", () => {
    test.for(ways)("by %s", async ([, service, server, sent, arrives]) => {
      await using bench = await open();
      await bench.engine.apply(state(`-A ${service}`, `-a ${service} ${server}`));
      expect(await sees(bench, "C", sent)).toEqual([`R1: ${arrives}`]);
    });

    test.for(replies)(
      "NAT's replies as the service's: %s",
      async ([, service, server, ...rows]) => {
        const [request, reply, arrives] = rows;
        await using bench = await open();
        await bench.engine.apply(state(`-A ${service}`, `-a ${service} ${server}`));
        await sees(bench, "C", request);
        expect(await sees(bench, "R1", reply)).toEqual([`C: ${arrives}`]);
      },
    );

    test("IPv6, by direct routing and by NAT both ways", async () => {
      await using bench = await open();
      const commands = [
        "-A -t V:80",
        "-a -t V:80 -r R1 -g",
        "-A -t V:81",
        "-a -t V:81 -r R1:8080 -m",
      ];
      await bench.engine.apply(
        commands.reduce((before, text) => command(before, text, INET6), EMPTY_STATE),
      );
      expect(await sees(bench, "C", "C:1000 > V:80 S", INET6)).toEqual([
        "R1: C:1000 > V:80 S ttl 63",
      ]);
      expect(await sees(bench, "C", "C:1000 > V:81 S", INET6)).toEqual([
        "R1: C:1000 > R1:8080 S ttl 63",
      ]);
      expect(await sees(bench, "R1", "R1:8080 > C:1000 S.", INET6)).toEqual([
        "C: V:81 > C:1000 S. ttl 63",
      ]);
    });

    test("what a masqueraded server sends of its own, unchanged, once", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1 -m"));
      expect(await sees(bench, "R1", "R1:80 > C2:1000 S.")).toEqual([
        "C2: R1:80 > C2:1000 S. ttl 63",
      ]);
      expect(await sees(bench, "R1", "R1:99 > C2:1000 .")).toEqual([
        "C2: R1:99 > C2:1000 . ttl 63",
      ]);
      expect(await sees(bench, "R1", "R1 > C2 echo")).toEqual(["C2: R1 > C2 echo ttl 63"]);
    });

    test("NAT to any port, both ways", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:0 -p 300", "-a -t V:0 -r R1:0 -m"));
      expect(await sees(bench, "C", "C:1000 > V:99 S")).toEqual(["R1: C:1000 > R1:99 S ttl 63"]);
      expect(await sees(bench, "R1", "R1:99 > C:1000 S.")).toEqual(["C: V:99 > C:1000 S. ttl 63"]);
    });

    test("persistent FTP's data connections, both ways", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:21 -p 300", "-a -t V:21 -r R1 -m"));
      await sees(bench, "C", "C:1000 > V:21 S");
      expect(await sees(bench, "C", "C:1001 > V:5000 S")).toEqual([
        "R1: C:1001 > R1:5000 S ttl 63",
      ]);
      expect(await sees(bench, "R1", "R1:5000 > C:1001 S.")).toEqual([
        "C: V:5000 > C:1001 S. ttl 63",
      ]);
    });

    test("fragments of a datagram as whole datagrams, both ways", async () => {
      await using bench = await open();
      await bench.engine.apply(state(...DNS_BY_NAT));
      await bench.send("C", ...fragments("C:1000 > V:53 udp len 4000"));
      expect(seenWhole(await bench.arrivals())).toEqual([
        "R1: C:1000 > R1:5353 udp len 4000 ttl 63",
      ]);
      await bench.send("R1", ...fragments("R1:5353 > C:1000 udp len 4000"));
      expect(seenWhole(await bench.arrivals())).toEqual(["C: V:53 > C:1000 udp len 4000 ttl 63"]);
    });

    test("fragments that are no service's, as the host would", async () => {
      await using bench = await open();
      await bench.engine.apply(state(...DNS_BY_NAT));
      await bench.send("R1", ...fragments("R1:99 > C2:1000 udp len 4000"));
      expect(seenWhole(await bench.arrivals())).toEqual([
        "C2: R1:99 > C2:1000 udp len 4000 ttl 63",
      ]);
      await bench.send("C", ...fragments("C > V echo len 4000"));
      expect(seenWhole(await bench.arrivals())).toEqual(["C: V > C echo-reply len 4000"]);
    });

    test("a server's ICMP error to the client, as the service's", async () => {
      await using bench = await open();
      await bench.engine.apply(state(...DNS_BY_NAT));
      await bench.send("C", packet("C:1000 > V:53 udp"));
      const [request] = await bench.arrivals();
      await bench.send("R1", portUnreachable("R1", request!.packet));
      expect(seen(await bench.arrivals())).toEqual([
        "C: V > C unreachable-port ttl 63 tos 0 about C:1000 > V:53 udp ttl 63",
      ]);
    });

    test("a client's ICMP error to the server", async () => {
      await using bench = await open();
      await bench.engine.apply(state(...DNS_BY_NAT));
      await bench.send("C", packet("C:1000 > V:53 udp"));
      await bench.send("R1", packet("R1:5353 > C:1000 udp"));
      const reply = (await bench.arrivals()).find(({ at }) => at === "C");
      await bench.send("C", portUnreachable("C", reply!.packet));
      expect(seen(await bench.arrivals())).toEqual([
        "R1: C > R1 unreachable-port ttl 63 tos 0 about R1:5353 > C:1000 udp ttl 63",
      ]);
    });
  });

  describe("refuses", () => {
    test("a packet that no destination may take, with ICMP port unreachable", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1 -w 0"));
      expect(await sees(bench, "C", "C:1000 > V:80 S")).toEqual([
        "C: V > C unreachable-port about C:1000 > V:80 S",
      ]);
    });

    test("a packet whose time to live ends here, with ICMP time exceeded", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1"));
      expect(await sees(bench, "C", "C:1000 > V:80 S ttl 1")).toEqual([
        "C: V > C time-exceeded about C:1000 > V:80 S ttl 1",
      ]);
    });
  });
}

function fragments(row: string): Uint8Array[] {
  const whole = Ipv4View.over(packet(row)) as Ipv4View;
  return fragmentIpv4(whole, MTU) as Uint8Array[];
}

/** By which `from` tells the source of `about` that nobody listens on its port. */
function portUnreachable(from: string, about: Uint8Array): Uint8Array {
  const message = destinationUnreachable(UNREACHABLE_CODE.port, about, 0, about.length);
  const source = INET.address(from);
  const destination = (Ipv4View.over(about) as Ipv4View).source;
  return emitIpv4({ protocol: IP_PROTOCOL.icmp, source, destination }, message);
}
