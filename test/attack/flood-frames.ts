/** The frames of floods, each made anew where it lies: random sources, random faults, seeded. */
import { type Prng, prng } from "../../src/base/prng.ts";
import {
  noOffload,
  type Offload,
  SEGMENTATION,
} from "../../src/engine/userspace/ring/virtio-net-header.ts";
import { Address } from "../../src/net/address.ts";
import { ETHERTYPE, emitEthernet } from "../../src/net/ethernet.ts";
import { emitIpv4 } from "../../src/net/ipv4.ts";
import { emitIpv6 } from "../../src/net/ipv6.ts";
import type { MacAddress } from "../../src/net/mac-address.ts";
import { toPort } from "../../src/net/port.ts";
import { emitTcp, TCP_FLAG } from "../../src/net/tcp.ts";
import { datagrams, errors, firstFragments } from "./flood-datagrams.ts";

export type FloodName =
  | "syn"
  | "syn-on-link"
  | "acks"
  | "malformed"
  | "segments"
  | "udp"
  | "fragments"
  | "icmp";

export interface Target {
  readonly source: MacAddress;
  readonly destination: MacAddress;
  readonly address: string;
  readonly port: number;
}

export interface FrameMaker {
  /** Longest frame in bytes. */
  readonly lengthMax: number;
  readonly offload: Offload;
  /** Writes the next frame at `at`; how long it is. */
  write(bytes: Uint8Array, at: number): number;
}

const ETHERNET = 14;
const IPV4 = 20;
const IPV6 = 40;
const TCP = 20;
/** The interface identifier of an IPv6 address is its last 8 bytes. */
const IDENTIFIER = ETHERNET + 8 + 8;
const PLAIN = noOffload();

export function frameMaker(name: FloodName, target: Target, seed: number): FrameMaker {
  const random = prng(seed);
  switch (name) {
    case "syn":
      return segments4(target, TCP_FLAG.syn, random);
    case "acks":
      return segments4(target, TCP_FLAG.ack, random);
    case "syn-on-link":
      return segments6(target, random);
    case "malformed":
      return malformed(target, random);
    case "segments":
      return absurdSegments(target);
    case "udp":
      return datagrams(target, random);
    case "fragments":
      return firstFragments(target, random);
    case "icmp":
      return errors(target, random);
  }
}

/** From random addresses of 198.18.0.0/15, which are for benchmarks (RFC 2544), and random ports. */
function segments4(target: Target, flags: number, random: Prng): FrameMaker {
  const template = tcpFrame4(target, flags, new Uint8Array(0));
  const view = new DataView(template.buffer, template.byteOffset);
  return {
    lengthMax: template.length,
    offload: PLAIN,
    write(bytes, at) {
      view.setUint32(ETHERNET + 12, 0xc612_0000 + random.below(1 << 17));
      view.setUint16(ETHERNET + IPV4, 1024 + random.below(64_000));
      view.setUint16(ETHERNET + 10, 0);
      view.setUint16(ETHERNET + 10, sum(view, ETHERNET, IPV4, 0));
      // The pseudo-header: both addresses, the protocol, the length.
      const pseudo = words(view, ETHERNET + 12, 8) + 6 + TCP;
      view.setUint16(ETHERNET + IPV4 + 16, 0);
      view.setUint16(ETHERNET + IPV4 + 16, sum(view, ETHERNET + IPV4, TCP, pseudo));
      bytes.set(template, at);
      return template.length;
    },
  };
}

/** From random neighbours on the attacker's own IPv6 network. */
function segments6(target: Target, random: Prng): FrameMaker {
  const addresses = {
    source: Address.parse("fd08::1:0:0:0")!,
    destination: Address.parse(target.address)!,
  };
  const ports = { source: toPort(1024), destination: toPort(target.port) };
  const segment = emitTcp({ ...ports, flags: TCP_FLAG.syn }, new Uint8Array(0), addresses);
  const packet = emitIpv6({ nextHeader: 6, ...addresses }, segment);
  const template = Uint8Array.from(framed(target, ETHERTYPE.ipv6, packet));
  const view = new DataView(template.buffer);
  const transport = ETHERNET + IPV6;
  return {
    lengthMax: template.length,
    offload: PLAIN,
    write(bytes, at) {
      view.setUint32(IDENTIFIER, 0x0001_0000 + random.below(0xffff));
      view.setUint32(IDENTIFIER + 4, random.below(0x7fff_ffff));
      view.setUint16(transport, 1024 + random.below(64_000));
      const pseudo = words(view, ETHERNET + 8, 32) + 6 + TCP;
      view.setUint16(transport + 16, 0);
      view.setUint16(transport + 16, sum(view, transport, TCP, pseudo));
      bytes.set(template, at);
      return template.length;
    },
  };
}

/** SYNs of the service with some bytes of their headers changed, cut anywhere, or as fragments of nothing. */
function malformed(target: Target, random: Prng): FrameMaker {
  const template = tcpFrame4(target, TCP_FLAG.syn, new Uint8Array(64));
  const view = new DataView(template.buffer, template.byteOffset);
  const original = template.slice();
  return {
    lengthMax: template.length,
    offload: PLAIN,
    write(bytes, at) {
      template.set(original);
      view.setUint32(ETHERNET + 12, 0xc612_0000 + random.below(1 << 17));
      if (random.below(2) === 0) {
        view.setUint16(ETHERNET + 4, random.below(1 << 16));
        // More fragments, and where this one lies.
        view.setUint16(ETHERNET + 6, random.below(1 << 14));
      } else {
        const changed = ETHERNET + 1 + random.below(template.length - ETHERNET - 1);
        template[changed] = random.below(256);
      }
      const isSummed = random.below(8) > 0;
      view.setUint16(ETHERNET + 10, 0);
      if (isSummed) view.setUint16(ETHERNET + 10, sum(view, ETHERNET, IPV4, 0));
      bytes.set(template, at);
      const isCut = random.below(4) === 0;
      return isCut ? ETHERNET + random.below(template.length - ETHERNET) : template.length;
    },
  };
}

/** 60,000 bytes to be cut into segments of one byte each: what a local sender may ask of the wire. */
function absurdSegments(target: Target): FrameMaker {
  const template = tcpFrame4(target, TCP_FLAG.syn, new Uint8Array(60_000));
  return {
    lengthMax: template.length,
    offload: {
      needsChecksum: true,
      checksumStart: ETHERNET + IPV4,
      checksumOffset: 16,
      segmentation: SEGMENTATION.tcp4,
      segmentSize: 1,
    },
    write(bytes, at) {
      bytes.set(template, at);
      return template.length;
    },
  };
}

function tcpFrame4(target: Target, flags: number, payload: Uint8Array): Uint8Array {
  const addresses = {
    source: Address.parse("198.18.0.1")!,
    destination: Address.parse(target.address)!,
  };
  const ports = { source: toPort(1024), destination: toPort(target.port) };
  const segment = emitTcp({ ...ports, flags }, payload, addresses);
  return Uint8Array.from(
    framed(target, ETHERTYPE.ipv4, emitIpv4({ protocol: 6, ...addresses }, segment)),
  );
}

function framed(target: Target, etherType: number, packet: Uint8Array): Uint8Array {
  const { source, destination } = target;
  return emitEthernet({ source, destination, etherType, tag: undefined }, packet);
}

/** The Internet checksum, RFC 1071. */
function sum(view: DataView, start: number, length: number, initial: number): number {
  let total = initial + words(view, start, length);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

function words(view: DataView, start: number, length: number): number {
  let total = 0;
  for (let at = start; at < start + length; at += 2) total += view.getUint16(at);
  return total;
}
