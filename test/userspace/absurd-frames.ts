/**
 * Sends TCP super-packets of 60,000 bytes that are to be cut into segments of a few, as a guest or a container could:
 *
 *     node test/userspace/absurd-frames.ts INTERFACE DESTINATION-MAC SOURCE DESTINATION SEGMENT-SIZE COUNT
 *
 * Says "sent" when they are.
 */
import { interfaceIndex, Memory } from "../../src/engine/host/system/libc.ts";
import {
  SEGMENTATION,
  VIRTIO_NET_HEADER_LENGTH,
} from "../../src/engine/userspace/ring/virtio-net-header.ts";
import { Transmitter } from "../../src/engine/userspace/sending/transmitter.ts";
import { Address } from "../../src/net/address.ts";
import { ETHERTYPE, emitEthernet } from "../../src/net/ethernet.ts";
import { IP_PROTOCOL } from "../../src/net/ip-protocol.ts";
import { emitIpv4 } from "../../src/net/ipv4.ts";
import { parseMac } from "../../src/net/mac-address.ts";

const [name = "", mac = "", source = "", destination = "", segmentSize = "", count = ""] =
  process.argv.slice(2);

const tcp = new Uint8Array(60_000);
const ports = new DataView(tcp.buffer);
ports.setUint16(0, 1000);
ports.setUint16(2, 80);
tcp[12] = 5 << 4;
tcp[13] = 0x10; // ACK
const ip = {
  protocol: IP_PROTOCOL.tcp,
  source: Address.parse(source)!,
  destination: Address.parse(destination)!,
  identification: 1,
};
const header = {
  destination: parseMac(mac)!,
  source: parseMac("02:00:00:00:00:0a")!,
  etherType: ETHERTYPE.ipv4,
  tag: undefined,
};
const frame = emitEthernet(header, emitIpv4(ip, tcp));
using memory = Memory.allocate(VIRTIO_NET_HEADER_LENGTH + frame.length);
using transmitter = new Transmitter();
memory.bytes.set(frame, VIRTIO_NET_HEADER_LENGTH);
for (let sent = 0; sent < Number(count); sent++) {
  transmitter.enqueue(
    memory,
    VIRTIO_NET_HEADER_LENGTH,
    VIRTIO_NET_HEADER_LENGTH + frame.length,
    interfaceIndex(name),
    {
      needsChecksum: true,
      checksumStart: 34,
      checksumOffset: 16,
      segmentation: SEGMENTATION.tcp4,
      segmentSize: Number(segmentSize),
    },
  );
  transmitter.flush();
}
process.stdout.write(`sent ${JSON.stringify(transmitter.statistics())}\n`);
