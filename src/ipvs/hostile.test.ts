/** Whatever comes from the wire: the director never throws, and nothing that it keeps outlives its time. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { uint8 } from "../../test/arbitraries.ts";
import { DirectorBench } from "../../test/packets/director-bench.ts";
import { Names } from "../../test/packets/names.ts";
import { parsePacket } from "../../test/packets/packet-text.ts";
import type { Instant } from "../base/clock.ts";
import type { Family } from "../net/address.ts";
import { fragmentIpv4 } from "../net/fragmentation.ts";
import { Ipv4View } from "../net/ipv4.ts";
import { Ipv6View } from "../net/ipv6.ts";
import { fragmentIpv6 } from "../net/ipv6-fragmentation.ts";
import { type Arrival, Packet } from "./packets/packet.ts";

const ROOM = 64;

// Every method and protocol, marks, persistence, any port, tunnels of every kind.
const SERVICES = `
-A -t V:80 -s rr
-a -t V:80 -r R1:8080 -m
-a -t V:80 -r R2 -g
-a -t V:80 -r R3 -i --tun-type gre --tun-csum
-A -u V:53 -s rr
-a -u V:53 -r R1 -m
-a -u V:53 -r R2 -i --tun-type gue --tun-port 6080 --tun-csum
-A --sctp-service V:9
-a --sctp-service V:9 -r R1:99 -m
-A -u V2:53 -o
-a -u V2:53 -r R1 -m
-A -t V2:0 -p 100
-a -t V2:0 -r R1:0 -i
-A -u V:5060 -p 50 --pe sip
-a -u V:5060 -r R1 -m
-A -f 7 -p 50
-a -f 7 -r R2:0 -m
`
  .trim()
  .split("\n");

/** Connections that replies and errors below are about: by rr to R3, R2 and R1. */
const OPENINGS = [
  "C:998 > V:80 S",
  "C:999 > V:80 S",
  "C:1000 > V:80 S",
  "C:999 > V:53 udp",
  "C:1000 > V:53 udp",
  "C:1000 > V:9 sctp:INIT",
  "C:1000 > V2:443 S",
  "C:1000 > V:5060 udp payload INVITE%0D%0AVia:%20x%0D%0ACall-ID:%20a@x%0D%0A",
];

const ROWS = [
  "C:1000 > V:80 S",
  "C:1001 > V:80 S. len 200",
  "C:1000 > V:80 . len 1500",
  "C:1000 > V:53 udp len 900",
  "C:1000 > V2:53 udp",
  "C:1000 > V2:443 S",
  "C:1000 > V:9 sctp:COOKIE-ECHO+ABORT",
  "C:1000 > V:9 sctp:INIT",
  "R1:8080 > C:1000 S.",
  "R1:53 > C:1000 udp len 1500",
  "C:1001 > V:5060 udp payload INVITE%0D%0AVia:%20x%0D%0ACall-ID:%20a@x%0D%0A",
  "R1:5060 > C:1002 udp payload INVITE%0D%0AVia:%20x%0D%0Ai:%20s@x%0D%0A",
  "C > V echo",
  "X > V unreachable-host about V:80 > C:1000 .",
  "X > V too-big mtu 1000 about V:53 > C:1000 udp len 1000",
  "Y > C time-exceeded about C:1000 > R1:8080 S",
];

const TUNNEL_ERRORS = [
  "Y > D too-big mtu 1000 about D > R3 in gre C:998 > V:80 S df",
  "Y > D unreachable-host about D > R2 in gue:6080 C:999 > V:53 udp",
  "Y > D unreachable-host about D > R1 in ipip C:1000 > V2:443 S",
];

function validPackets(family: Family): Uint8Array[] {
  const names = new Names(family);
  const rows = family === "inet" ? [...ROWS, ...TUNNEL_ERRORS] : ROWS;
  const packets = [...OPENINGS, ...rows].map((row) => parsePacket(row, names));
  const long = ["C:1000 > V:53 udp len 3000", "R1:53 > C:1000 udp len 3000"];
  return [...packets, ...long.flatMap((row) => fragmentsOf(parsePacket(row, names)))];
}

function fragmentsOf(packet: Uint8Array): Uint8Array[] {
  const fragments =
    packet[0]! >>> 4 === 4
      ? fragmentIpv4(Ipv4View.over(packet) as Ipv4View, 1500)
      : fragmentIpv6(Ipv6View.over(packet) as Ipv6View, 1500, 1);
  if (typeof fragments === "string") throw new Error(fragments);
  return fragments;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  hook: fc.constantFrom("wire", "wire", "local-in", "forward", "local-out"),
  interfaceIndex: fc.constant(1),
  isUnicast: fc.constant(true),
  mark: fc.constantFrom(0, 0, 7, 8),
  segmentSize: fc.constantFrom(0, 0, 0, 1, 8, 500, 1448, 60_000),
  isChecksumPartial: fc.boolean(),
  headroom: fc.constantFrom(0, 20, ROOM),
});

/** Headers are where mistakes hurt. */
const offset = fc.oneof(fc.nat({ max: 70 }), fc.nat({ max: 1600 }));
const edit = fc.tuple(offset, fc.oneof(uint8, fc.constantFrom(0, 1, 0x20, 44, 0xff)));

interface Attack {
  readonly bytes: Uint8Array;
  readonly arrival: Arrival;
  /** Milliseconds after the one before. */
  readonly pauseMs: number;
}

function attacks(family: Family): fc.Arbitrary<Attack[]> {
  const mutated = fc
    .tuple(
      fc.constantFrom(...validPackets(family)),
      fc.array(edit, { maxLength: 4 }),
      fc.oneof({ weight: 8, arbitrary: fc.constant(2000) }, fc.nat({ max: 1600 })),
    )
    .map(([valid, edits, length]) => {
      const bytes = valid.slice();
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      return bytes.subarray(0, length);
    });
  const version = family === "inet" ? 0x45 : 0x60;
  const random = fc
    .uint8Array({ minLength: 1, maxLength: 120 })
    .map((bytes) => Uint8Array.from([version, ...bytes.subarray(1)]));
  const pauseMs = fc.constantFrom(0, 0, 0, 1, 5_000, 100_000);
  const bytes = fc.oneof({ weight: 5, arbitrary: mutated }, { weight: 1, arbitrary: random });
  return fc.array(fc.record({ bytes, arrival, pauseMs }), { maxLength: 40 });
}

function isPacket(bytes: Uint8Array): boolean {
  return typeof Ipv4View.over(bytes) !== "string" || typeof Ipv6View.over(bytes) !== "string";
}

function strike(bench: DirectorBench, { bytes, arrival }: Attack, now: Instant): void {
  const { director } = bench;
  const memory = new Uint8Array(ROOM + bytes.length + 8).fill(0xaa);
  memory.set(bytes, ROOM);
  const packet = new Packet();
  const end = ROOM + bytes.length;
  const fault = packet.moveTo(memory, ROOM, end, arrival);
  if (fault !== undefined) {
    expect(director.malformed().verdict).toBe("pass");
    return;
  }
  const outcome = director.receive(packet, now);
  const { verdict, parts, notices, route } = outcome;
  expect(route !== undefined).toBe(verdict === "forward");
  if (verdict !== "forward") expect(parts).toEqual([]);
  for (const made of [...parts, ...notices]) expect(isPacket(made)).toBe(true);
  if (verdict === "forward" && parts.length === 0) {
    const { packet: out } = outcome;
    expect(isPacket(out.bytes.subarray(out.start, out.end))).toBe(true);
  }
  // Bytes outside the packet and the room before it are nobody's to write.
  expect(memory.subarray(end).every((byte) => byte === 0xaa)).toBe(true);
  expect(memory.subarray(0, ROOM - arrival.headroom).every((byte) => byte === 0xaa)).toBe(true);
}

test.for(["inet", "inet6"] as const)("hostile packets of %s", (family) => {
  fc.assert(
    fc.property(attacks(family), (sequence) => {
      const bench = new DirectorBench(family, { limit: 64 });
      for (const row of SERVICES) expect(bench.play(row)).toEqual([]);
      for (const row of OPENINGS)
        expect(bench.play(row)).toEqual([expect.stringContaining("forward")]);
      const { director } = bench;
      let now = 0;
      for (const attack of sequence) {
        now += attack.pauseMs;
        while (director.expire(now as Instant, 8));
        strike(bench, attack, now as Instant);
      }
      // The longest timeout, and templates that waited for others.
      for (let minute = 0; minute < 40; minute++) {
        now += 60_000;
        while (director.expire(now as Instant, 8));
      }
      expect(director.connections.table.size).toBe(0);
      for (const { destinations } of director.services.services()) {
        for (const {
          activeConnections,
          inactiveConnections,
          persistentConnections,
        } of destinations) {
          expect([activeConnections, inactiveConnections, persistentConnections]).toEqual([
            0, 0, 0,
          ]);
        }
      }
    }),
    { numRuns: 300 },
  );
});
