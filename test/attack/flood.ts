/**
 * A flood, from inside of the attacker's network namespace:
 *
 *     node test/attack/flood.ts DEVICE '{"name", "rate", "seconds", "target"}'
 *
 * So many frames a second for so many seconds, or as many as it can. Says what it sent as JSON, and ends.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { interfaceIndex, Memory } from "../../src/engine/host/system/libc.ts";
import { VIRTIO_NET_HEADER_LENGTH } from "../../src/engine/userspace/ring/virtio-net-header.ts";
import { Transmitter } from "../../src/engine/userspace/sending/transmitter.ts";
import { type FloodName, frameMaker, type Target } from "./flood-frames.ts";

export interface FloodOrder {
  readonly name: FloodName;
  /** Frames a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly target: Target;
}

/** Frames that are sent by one system call. */
const BATCH = 64;
const SEED = 1;

const [device = "", order = ""] = process.argv.slice(2);
const { name, rate, seconds, target } = JSON.parse(order) as FloodOrder;
const maker = frameMaker(name, target, SEED);
const stride = Math.ceil((maker.lengthMax + VIRTIO_NET_HEADER_LENGTH) / 64) * 64;
const memory = Memory.allocate(stride * BATCH);
const index = interfaceIndex(device);
using transmitter = new Transmitter();

const begin = performance.now();
let sent = 0;
for (;;) {
  const elapsed = (performance.now() - begin) / 1000;
  if (elapsed >= seconds) break;
  const due = Math.min(Math.floor(elapsed * rate) - sent, BATCH);
  if (due <= 0) {
    await sleep(1);
    continue;
  }
  for (let each = 0; each < due; each++) {
    const start = each * stride + VIRTIO_NET_HEADER_LENGTH;
    const length = maker.write(memory.bytes, start);
    transmitter.enqueue(memory, start, start + length, index, maker.offload);
  }
  transmitter.flush();
  sent += due;
}
const took = (performance.now() - begin) / 1000;
process.stdout.write(`${JSON.stringify({ sent, rate: Math.round(sent / took) })}\n`);
