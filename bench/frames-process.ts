/**
 * `frames-process.ts INTERFACE ADDRESS PORT`: sends driver's frames with datagrams for ADDRESS and PORT by INTERFACE. For a line
 * `known|new COUNT LINK-ADDRESS`, the frames' destination, it says how many nanoseconds that took. Says "ready".
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { interfaceIndex } from "../src/engine/host/system/libc.ts";
import { BpfObject, lookUpElement, TestRun, updateElement } from "../src/engine/kernel/libbpf.ts";
import { Address } from "../src/net/address.ts";
import { IP_PROTOCOL } from "../src/net/ip-protocol.ts";
import { emitIpv4 } from "../src/net/ipv4.ts";
import { type MacAddress, macBytes } from "../src/net/mac-address.ts";
import { toPort } from "../src/net/port.ts";
import { emitUdp } from "../src/net/udp.ts";

/** struct stream of frames.bpf.c. */
const STREAM = {
  size: 104,
  start: 0,
  end: 8,
  frame: 16,
  departure: 76,
  flows: 80,
  next: 84,
  network: 88,
  isInTurn: 92,
  count: 100,
} as const;
/** Frames that the kernel hands to a program before it has any of them go their way (NAPI_POLL_WEIGHT, net/bpf/test_run.c). */
const BATCH = 64;
const ETHERNET_LENGTH = 14;
const FRAME_LENGTH = 60;
const UDP_PAYLOAD_LENGTH = FRAME_LENGTH - ETHERNET_LENGTH - 28;
const PORTS_PER_CLIENT = 4_096;
const NOBODY = Address.inet(0);

/** A thousand ports of one client, in turn; or nearly each another of 65,000 clients' ports. */
const TRAFFICS: Readonly<Record<string, { flows: number; isInTurn: boolean; next: number }>> = {
  known: { flows: 1_000, isInTurn: true, next: 0 },
  new: { flows: 65_000 * PORTS_PER_CLIENT, isInTurn: false, next: 1 },
};
const NETWORK = Address.parse("10.1.1.0")!;

const [name = "", address = "", port = ""] = process.argv.slice(2);
const departure = interfaceIndex(name);
const datagram = ipDatagram(Address.parse(address)!, Number(port));
const object = new BpfObject(readFileSync(new URL("frames.bpf.o", import.meta.url)), {});
const program = object.program("send_next");
const streams = object.map("streams");
const key = new Uint8Array(4);
const run = new TestRun(FRAME_LENGTH);

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const [traffic = "", count = "", to = ""] = line.split(" ");
  process.stdout.write(`${send(traffic, Number(count), to as MacAddress)}\n`);
}

/**
 * Nanoseconds from the first frame until the last has gone its way: a batch more is asked for, whose frames see that. The call's own
 * figure leaves out what else ran meanwhile; and around it the kernel waits, for it has another dispatcher of XDP programs.
 */
function send(traffic: string, count: number, to: MacAddress): bigint {
  const kind = TRAFFICS[traffic]!;
  const stream = new Uint8Array(STREAM.size);
  const view = new DataView(stream.buffer);
  const frame = stream.subarray(STREAM.frame, STREAM.frame + FRAME_LENGTH);
  frame.set(macBytes(to));
  frame.set([0x08, 0x00], ETHERNET_LENGTH - 2);
  frame.set(datagram, ETHERNET_LENGTH);
  view.setUint32(STREAM.departure, departure, true);
  view.setUint32(STREAM.flows, kind.flows, true);
  view.setUint32(STREAM.next, kind.next, true);
  view.setInt32(STREAM.network, NETWORK.w3, true);
  view.setUint32(STREAM.isInTurn, kind.isInTurn ? 1 : 0, true);
  view.setUint32(STREAM.count, count, true);
  updateElement(streams, key, stream);
  run.send(program, frame, (Math.ceil(count / BATCH) + 1) * BATCH);
  lookUpElement(streams, key, stream);
  kind.next = view.getUint32(STREAM.next, true);
  return view.getBigUint64(STREAM.end, true) - view.getBigUint64(STREAM.start, true);
}

/** Client 0.0.0.0:0's, with the checksums of that. */
function ipDatagram(destination: Address, destinationPort: number): Uint8Array {
  const addresses = { source: NOBODY, destination };
  const header = { source: toPort(0), destination: toPort(destinationPort) };
  const payload = emitUdp(header, new Uint8Array(UDP_PAYLOAD_LENGTH), addresses);
  return emitIpv4({ ...addresses, protocol: IP_PROTOCOL.udp }, payload);
}
