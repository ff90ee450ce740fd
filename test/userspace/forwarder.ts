/**
 * The simplest user of the packet ring and the transmitter: a wire between two interfaces.
 *
 *     node test/userspace/forwarder.ts veth0 veth1
 *
 * Whatever arrives at one leaves by the other as it is, offloads included. Says "ready" when it forwards, and answers
 * each line of its standard input by what it counted, as JSON. Ends with its standard input.
 */
import { createInterface } from "node:readline";
import { interfaceIndex } from "../../src/engine/host/system/libc.ts";
import { PacketRing } from "../../src/engine/userspace/ring/packet-ring.ts";
import { Transmitter } from "../../src/engine/userspace/sending/transmitter.ts";

const [left = 0, right = 0] = process.argv.slice(2).map(interfaceIndex);
const transmitter = new Transmitter();
let batches = 0;
let largest = 0;
const ring = new PacketRing({
  onFrame: ({ memory, start, end, interfaceIndex: from, offload }) => {
    largest = Math.max(largest, end - start);
    transmitter.enqueue(memory, start, end, from === left ? right : left, offload);
  },
  onBatchEnd: () => {
    transmitter.flush();
    batches++;
  },
});
process.stdout.write("ready\n");

for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  const report = {
    ring: ring.statistics(),
    transmit: transmitter.statistics(),
    batches,
    largest,
    processorMs: (user + system) / 1000,
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
ring[Symbol.dispose]();
transmitter[Symbol.dispose]();
