/** Floods of what is no segment: datagrams, fragments that are never put together, errors about packets that nobody sent. */
import type { Prng } from "../../src/base/prng.ts";
import { noOffload } from "../../src/engine/userspace/ring/virtio-net-header.ts";
import { Address } from "../../src/net/address.ts";
import { ETHERTYPE, emitEthernet } from "../../src/net/ethernet.ts";
import { emitIcmp } from "../../src/net/icmp.ts";
import { IP_PROTOCOL } from "../../src/net/ip-protocol.ts";
import { emitIpv4 } from "../../src/net/ipv4.ts";
import { toPort } from "../../src/net/port.ts";
import { emitUdp } from "../../src/net/udp.ts";
import type { FrameMaker, Target } from "./flood-frames.ts";

const PAYLOAD = new Uint8Array(32);
const LENGTH_MAX = 128;
/** ICMP: the port is unreachable (RFC 792). */
const UNREACHABLE = { type: 3, code: 3, rest: 0 } as const;
/** What an error quotes of a packet behind its header. */
const QUOTED = 8;

export function datagrams(target: Target, random: Prng): FrameMaker {
  return making(target, () => {
    const source = anyone(random);
    const destination = Address.parse(target.address)!;
    const datagram = emitUdp(portsOf(target, random), PAYLOAD, { source, destination });
    return emitIpv4({ protocol: IP_PROTOCOL.udp, source, destination }, datagram);
  });
}

/** The first of a datagram's, whose others never come. */
export function firstFragments(target: Target, random: Prng): FrameMaker {
  return making(target, () => {
    const source = anyone(random);
    const destination = Address.parse(target.address)!;
    const datagram = emitUdp(portsOf(target, random), PAYLOAD, { source, destination });
    const identification = random.below(1 << 16);
    const header = { protocol: IP_PROTOCOL.udp, identification, moreFragments: true } as const;
    return emitIpv4({ ...header, source, destination }, datagram);
  });
}

/** As if somebody could not take what the service had sent. */
export function errors(target: Target, random: Prng): FrameMaker {
  return making(target, () => {
    const client = anyone(random);
    const service = Address.parse(target.address)!;
    const { source, destination } = portsOf(target, random);
    const quoted = emitUdp({ source: destination, destination: source }, new Uint8Array(0));
    const header = { protocol: IP_PROTOCOL.tcp, source: service, destination: client };
    const message = emitIcmp(UNREACHABLE, emitIpv4(header, quoted.subarray(0, QUOTED)));
    return emitIpv4({ protocol: IP_PROTOCOL.icmp, source: client, destination: service }, message);
  });
}

function making({ source, destination }: Target, packet: () => Uint8Array): FrameMaker {
  return {
    lengthMax: LENGTH_MAX,
    offload: noOffload(),
    write(bytes, at) {
      const etherType = ETHERTYPE.ipv4;
      const frame = emitEthernet({ source, destination, etherType, tag: undefined }, packet());
      bytes.set(frame, at);
      return frame.length;
    },
  };
}

/** Of 198.18.0.0/15, which is for benchmarks (RFC 2544). */
function anyone(random: Prng): Address {
  return Address.inet((0xc612_0000 + random.below(1 << 17)) | 0);
}

function portsOf({ port }: Target, random: Prng) {
  return { source: toPort(1024 + random.below(64_000)), destination: toPort(port) };
}
