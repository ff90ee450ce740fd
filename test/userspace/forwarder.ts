/**
 * The simplest user of the packet ring and the transmitter: a wire between two interfaces.
 *
 *     node test/userspace/forwarder.ts veth0 veth1
 *
 * Whatever arrives at one leaves by the other as it is, offloads included. Says "ready" when it forwards; writes its
 * statistics as JSON when its standard input ends, and ends.
 */

import { networkInterfaces } from "node:os";
import { interfaceIndex } from "../../src/engine/userspace/libc.ts";
import { PacketRing } from "../../src/engine/userspace/packet-ring.ts";
import { Transmitter } from "../../src/engine/userspace/transmitter.ts";

const [left, right] = process.argv.slice(2).map(interfaceIndex);
if (left === undefined || right === undefined) {
  throw new Error(
    `Cannot forward: expected two interfaces, of ${Object.keys(networkInterfaces()).join(" ")}`,
  );
}
const transmitter = new Transmitter();
let batches = 0;
let busyNs = 0n;
let largest = 0;
const ring = new PacketRing({
  ignoredInterfaces: [],
  onFrame: (frame) => {
    const out = frame.interfaceIndex === left ? right : left;
    largest = Math.max(largest, frame.end - frame.start);
    transmitter.enqueue(frame.memory, frame.start, frame.end, out, frame.offload);
  },
  onBatchEnd: () => {
    const began = process.hrtime.bigint();
    transmitter.flush();
    busyNs += process.hrtime.bigint() - began;
    batches++;
  },
});
process.stdout.write("ready\n");

process.stdin.on("end", () => {
  const transmitMs = Number(busyNs) / 1e6;
  const report = {
    ring: ring.statistics(),
    transmit: transmitter.statistics(),
    batches,
    largest,
    transmitMs,
    cpuMs: (process.cpuUsage().user + process.cpuUsage().system) / 1000,
  };
  ring[Symbol.dispose]();
  transmitter[Symbol.dispose]();
  process.stdout.write(`${JSON.stringify(report)}\n`);
});
process.stdin.resume();
