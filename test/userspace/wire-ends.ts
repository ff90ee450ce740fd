/**
 * The far ends of wires, for tests: runs inside of a network namespace.
 *
 *     node test/userspace/wire-ends.ts eth0 eth1
 *
 * Each line of its standard input is a list in JSON, one line of JSON answers it:
 * `["send", interface, frame, ...]` puts frames (hexadecimal) on a wire and says "sent"; `["drain"]` tells what came
 * in since the last time, as a list of [interface, frame].
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Memory } from "../../src/engine/host/system/libc.ts";
import { FrameTap } from "../../src/engine/userspace/ring/frame-tap.ts";
import {
  noOffload,
  VIRTIO_NET_HEADER_LENGTH,
} from "../../src/engine/userspace/ring/virtio-net-header.ts";
import { Transmitter } from "../../src/engine/userspace/sending/transmitter.ts";

const FRAME_LENGTH_MAX = 66_000;

const transmitter = new Transmitter();
const memory = Memory.allocate(FRAME_LENGTH_MAX);
let heard: [name: string, frame: string][] = [];
const taps = new Map(
  process.argv.slice(2).map((name) => {
    const index = Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8"));
    const tap = new FrameTap(index, (frame) => heard.push([name, toHex(frame)]));
    return [name, { index, tap }];
  }),
);
say("ready");
for await (const line of createInterface({ input: process.stdin })) say(answer(JSON.parse(line)));
process.exit(0);

function answer([verb, name = "", ...frames]: string[]): unknown {
  if (verb === "send") {
    for (const frame of frames) send(Buffer.from(frame, "hex"), taps.get(name)!.index);
    return "sent";
  }
  for (const { tap } of taps.values()) tap.drain();
  const answer = heard;
  heard = [];
  return answer;
}

function send(frame: Uint8Array, interfaceIndex: number): void {
  memory.bytes.set(frame, VIRTIO_NET_HEADER_LENGTH);
  const start = VIRTIO_NET_HEADER_LENGTH;
  transmitter.enqueue(memory, start, start + frame.length, interfaceIndex, noOffload());
  transmitter.flush();
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
