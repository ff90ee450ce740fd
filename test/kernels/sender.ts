/**
 * `sender.ts FD FIRST COUNT`: gives a program of the kernel's that it has the descriptor of the segments by which clients open
 * connections from so many ports, and end every third of them. Says "ready" first; beside another one, so that two processors do.
 */
import { TestRun } from "../../src/engine/kernel/libbpf.ts";
import { Names } from "../packets/names.ts";
import { parsePacket } from "../packets/packet-text.ts";

const ETHERNET_LENGTH = 14;
const IPV4_HEADER_LENGTH = 20;

export function frameOf(row: string, names: Names): Uint8Array {
  const packet = parsePacket(row, names);
  const frame = new Uint8Array(ETHERNET_LENGTH + packet.length);
  frame.set([0x08, 0x00], ETHERNET_LENGTH - 2);
  frame.set(packet, ETHERNET_LENGTH);
  return frame;
}

export function sendSegments(program: number, firstPort: number, count: number): void {
  using run = new TestRun(256);
  const names = new Names("inet");
  const frames = ["S", ".", "F."].map((flags) => frameOf(`C:1 > V:80 ${flags}`, names));
  for (let port = firstPort; port < firstPort + count; port++) {
    for (const frame of port % 3 === 0 ? frames : frames.slice(0, 2)) {
      new DataView(frame.buffer).setUint16(ETHERNET_LENGTH + IPV4_HEADER_LENGTH, port);
      run.run(program, frame);
    }
  }
}

if (import.meta.main) {
  const [program = 0, first = 0, count = 0] = process.argv.slice(2).map(Number);
  process.stdout.write("ready\n");
  sendSegments(program, first, count);
}
