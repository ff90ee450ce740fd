/** NAT against checksums computed the slow way. The rows of test/packets play it within the director. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { inet6Address, inetAddress, payload, port } from "../../../test/arbitraries.ts";
import { writeTrueChecksums } from "../../../test/packets/true-checksums.ts";
import type { Address } from "../../net/address.ts";
import { completePartial, pseudoHeader } from "../../net/checksum.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import { emitIpv6 } from "../../net/ipv6.ts";
import type { Port } from "../../net/port.ts";
import { emitSctp } from "../../net/sctp.ts";
import { emitTcp } from "../../net/tcp.ts";
import { emitUdp } from "../../net/udp.ts";
import { writeUint16 } from "../../net/words.ts";
import { NO_ARRIVAL, Packet } from "../packets/packet.ts";
import { Masquerade } from "./masquerade.ts";

const PROTOCOL = { tcp: 6, udp: 17, sctp: 132 } as const;
const CHECKSUM_AT = { tcp: 16, udp: 6, sctp: 8 } as const;

interface Scene {
  readonly protocol: keyof typeof PROTOCOL;
  readonly source: Address;
  readonly destination: Address;
  readonly to: Address;
  readonly ports: readonly [source: Port, destination: Port, to: Port];
  readonly data: Uint8Array;
  readonly side: "source" | "destination";
}

function scene(address: fc.Arbitrary<Address>): fc.Arbitrary<Scene> {
  return fc.record({
    protocol: fc.constantFrom("tcp", "udp", "sctp"),
    source: address,
    destination: address,
    to: address,
    ports: fc.tuple(port, port, port),
    data: payload(60),
    side: fc.constantFrom("source", "destination"),
  });
}

const scenes = fc.oneof(scene(inetAddress), scene(inet6Address));

function emit({ protocol, source, destination, ports, data }: Scene): Uint8Array {
  const addresses = { source, destination };
  const ends = { source: ports[0], destination: ports[1] };
  const body = {
    tcp: () => emitTcp({ ...ends, flags: 0x10 }, data, addresses),
    udp: () => emitUdp(ends, data, addresses),
    sctp: () => emitSctp({ ...ends, verificationTag: 7 }, [{ type: 0, flags: 0, value: data }]),
  }[protocol]();
  const number = PROTOCOL[protocol];
  return source.family === "inet"
    ? emitIpv4({ ...addresses, protocol: number }, body)
    : emitIpv6({ ...addresses, nextHeader: number }, body);
}

function rewrite(bytes: Uint8Array, { side, to, ports }: Scene, isChecksumPartial: boolean): void {
  const packet = new Packet();
  expect(
    packet.moveTo(bytes, 0, bytes.length, { ...NO_ARRIVAL, isChecksumPartial }),
  ).toBeUndefined();
  const masquerade = new Masquerade();
  if (side === "source") masquerade.rewriteSource(packet, to, ports[2]);
  else masquerade.rewriteDestination(packet, to, ports[2]);
}

/** The packet as its sender would have made it with the new end. */
function expected(given: Scene): Uint8Array {
  const { side, to, ports } = given;
  const [source, destination, port] = ports;
  const packet = emit({
    ...given,
    [side]: to,
    ports: side === "source" ? [port, destination, port] : [source, port, port],
  });
  writeTrueChecksums(packet);
  return packet;
}

test("a rewritten packet is the one that its sender would have made", () => {
  fc.assert(
    fc.property(scenes, (given) => {
      const bytes = emit(given);
      rewrite(bytes, given, false);
      expect(bytes).toEqual(expected(given));
    }),
    { numRuns: 500 },
  );
});

test("a partial checksum, finished by the network card, is the one that its sender would have made", () => {
  fc.assert(
    fc.property(
      scenes.filter(({ protocol }) => protocol !== "sctp"),
      (given) => {
        const bytes = emit(given);
        const start = given.source.family === "inet" ? 20 : 40;
        const field = start + CHECKSUM_AT[given.protocol];
        const length = bytes.length - start;
        writeUint16(bytes, field, pseudoHeader(given, PROTOCOL[given.protocol], length));
        rewrite(bytes, given, true);
        completePartial(bytes, start, field, bytes.length);
        const whole = expected(given);
        // Ones and zeros are the same to TCP, and the card writes ones.
        if (whole[field] === 0 && whole[field + 1] === 0) writeUint16(whole, field, 0xffff);
        expect(bytes).toEqual(whole);
      },
    ),
    { numRuns: 500 },
  );
});

test("a UDP datagram without a checksum gets one", () => {
  fc.assert(
    fc.property(
      scenes.filter(({ protocol }) => protocol === "udp"),
      (given) => {
        const bytes = emit(given);
        const start = given.source.family === "inet" ? 20 : 40;
        writeUint16(bytes, start + CHECKSUM_AT.udp, 0);
        rewrite(bytes, given, false);
        expect(bytes).toEqual(expected(given));
      },
    ),
  );
});
