/**
 * Packets of numbered clients, as a receive ring holds them: written where they lie, one after another.
 *
 * The ring is small and was written just before it is read, as a ring is that the kernel has just filled: what is
 * measured is the director's memory, not the packets'.
 */
import { Address } from "../src/net/address.ts";
import { emitIpv4 } from "../src/net/ipv4.ts";
import { toPort } from "../src/net/port.ts";
import { emitTcp } from "../src/net/tcp.ts";
import { writeUint16, writeUint32 } from "../src/net/words.ts";

export const VIP = Address.inet(0x0a00_0064);
export const PORT = toPort(80);

/** IPv4 and TCP without options or payload. */
export const PACKET_LENGTH = 40;
/** A line of the cache for each. */
const STRIDE = 64;
const TRANSPORT = 20;
const at = { timeToLive: 8, headerChecksum: 10, source: 12, destination: 16 } as const;
const tcpAt = { source: 0, destination: 2, flags: 13 } as const;

const CLIENT_NETWORK = 0x0a64_0000;
/** Of each client address; a million flows come from 256 addresses. */
const PORTS_PER_CLIENT = 4096;
const FIRST_PORT = 1024;

export class PacketRing {
  readonly bytes: Uint8Array;
  readonly packets: number;

  constructor(packets: number) {
    this.packets = packets;
    this.bytes = new Uint8Array(packets * STRIDE);
    const addresses = { source: Address.inet(CLIENT_NETWORK), destination: VIP };
    const ports = { source: toPort(FIRST_PORT), destination: PORT };
    const template = emitIpv4(
      { protocol: 6, ...addresses },
      emitTcp({ ...ports, flags: 0 }, new Uint8Array(0), addresses),
    );
    for (let packet = 0; packet < packets; packet++) {
      this.bytes.set(template, this.start(packet));
    }
  }

  /** Where the packet with this number begins. */
  start(packet: number): number {
    return packet * STRIDE;
  }

  /** Makes it the packet that `client` sends, with a fresh time to live. Checksums are not looked at. */
  writeRequest(packet: number, client: number, flags: number): void {
    const start = this.start(packet);
    const { bytes } = this;
    bytes[start + at.timeToLive] = 64;
    writeUint32(bytes, start + at.source, addressOf(client));
    writeUint32(bytes, start + at.destination, VIP.w3);
    writeUint16(bytes, start + TRANSPORT + tcpAt.source, portOf(client));
    writeUint16(bytes, start + TRANSPORT + tcpAt.destination, PORT);
    bytes[start + TRANSPORT + tcpAt.flags] = flags;
  }
}

function addressOf(client: number): number {
  return CLIENT_NETWORK + Math.floor(client / PORTS_PER_CLIENT);
}

function portOf(client: number): number {
  return FIRST_PORT + (client % PORTS_PER_CLIENT);
}
