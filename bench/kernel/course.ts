/** The packets that bench/yardstick.bpf.c gives a program, and how long that takes for each of them. */
import { readFileSync } from "node:fs";
import { BpfObject, TestRun, updateElement } from "../../src/engine/kernel/libbpf.ts";
import type { Address } from "../../src/net/address.ts";
import { TCP_FLAG } from "../../src/net/tcp.ts";

/** struct course, struct floor_key and struct floor_value of yardstick.bpf.c. */
const COURSE = {
  size: 60,
  flows: 0,
  next: 4,
  network: 8,
  servicePort: 12,
  isInOrder: 14,
  isAnswer: 15,
  client: 16,
  service: 28,
  length: 44,
  linkAddresses: 48,
} as const;
const FLOOR_KEY_LENGTH = 12;
const FLOOR_VALUE_LENGTH = 16;

export const PORTS_PER_CLIENT = 4096;
export const FIRST_PORT = 1024;
const ETHERNET_LENGTH = 14;
const FRAME_MAX = 128;
/** TC_ACT_REDIRECT and XDP_REDIRECT. */
const REDIRECT = { tc: 7, xdp: 4 } as const;

/** Where a program meets frames. */
export type Hook = "tc" | "xdp";

/** Whose packets come, and to which service. */
export interface Course {
  readonly hook: Hook;
  readonly family: 4 | 6;
  readonly flows: number;
  /** The first client's. */
  readonly client: Address;
  readonly service: Address;
  readonly port: number;
  /** The first client of those that come once each, in order, with their first packet; undefined where all are known. */
  readonly fresh?: number;
  /** What comes is from the service's place to the clients (IPv4). */
  readonly isAnswer?: boolean;
  /** The frame's destination, then its source; all 0 unless said. */
  readonly linkAddresses?: Uint8Array;
}

export class Yardstick implements Disposable {
  readonly #object = new BpfObject(
    readFileSync(new URL("../yardstick.bpf.o", import.meta.url)),
    {},
  );
  readonly #run = new TestRun(FRAME_MAX);
  readonly nothing = this.#both("nothing");
  readonly floor = this.#both("floor_of_flows");

  #both(name: string): Readonly<Record<Hook, number>> {
    return { tc: this.#object.program(name), xdp: this.#object.program(`${name}_xdp`) };
  }

  /** Nanoseconds for one packet, the driver's own time included. Throws unless the last one was sent on or `isNothing`. */
  time(program: number, course: Course, repeat: number, isNothing = false): number {
    const index = new Uint8Array(4);
    const words = new Uint8Array(COURSE.size);
    const view = new DataView(words.buffer);
    view.setUint32(COURSE.flows, course.flows, true);
    view.setUint32(COURSE.next, course.fresh ?? 1, true);
    words[COURSE.isInOrder] = course.fresh === undefined ? 0 : 1;
    words[COURSE.isAnswer] = course.isAnswer === true ? 1 : 0;
    view.setInt32(COURSE.network, course.client.w3);
    view.setUint16(COURSE.servicePort, course.port);
    writeWords(view, COURSE.client, course.client, 3);
    writeWords(view, COURSE.service, course.service, 4);
    words.set(course.linkAddresses ?? [], COURSE.linkAddresses);
    const frame = template(course);
    view.setUint32(COURSE.length, frame.length, true);
    updateElement(this.#object.map("courses"), index, words);
    const descriptor = new Uint8Array(Uint32Array.of(program).buffer);
    const isXdp = course.hook === "xdp";
    updateElement(this.#object.map(isXdp ? "measured_xdp" : "measured"), index, descriptor);
    const driver = this.#both(course.family === 4 ? "drive_ipv4" : "drive_ipv6")[course.hook];
    const { result, nanoseconds } = this.#run.run(driver, frame, repeat);
    if (!isNothing && result !== REDIRECT[course.hook])
      throw new Error(`A packet was not sent on: ${result}`);
    return nanoseconds;
  }

  /** Has the floor know the course's flows. */
  fillFloor({ flows, client, service, port }: Course): void {
    const map = this.#object.map("floor_flows");
    const key = new Uint8Array(FLOOR_KEY_LENGTH);
    const view = new DataView(key.buffer);
    const value = new Uint8Array(FLOOR_VALUE_LENGTH);
    value[FLOOR_VALUE_LENGTH - 4] = 1;
    for (let flow = 0; flow < flows; flow++) {
      view.setInt32(0, client.w3 + Math.floor(flow / PORTS_PER_CLIENT));
      view.setInt32(4, service.w3);
      view.setUint16(8, FIRST_PORT + (flow % PORTS_PER_CLIENT));
      view.setUint16(10, port);
      if (updateElement(map, key, value) < 0) throw new Error("The floor's table is full");
    }
  }

  [Symbol.dispose](): void {
    this.#run[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }
}

function writeWords(view: DataView, at: number, { w0, w1, w2, w3 }: Address, count: number): void {
  for (const [index, word] of [w0, w1, w2, w3].slice(0, count).entries()) {
    view.setInt32(at + 4 * index, word);
  }
}

/** A TCP segment without data; the driver fills in who sends it to whom. */
function template({ family, fresh }: Course): Uint8Array {
  const ip = family === 4 ? 20 : 40;
  const frame = new Uint8Array(ETHERNET_LENGTH + ip + 20);
  const view = new DataView(frame.buffer);
  view.setUint16(12, family === 4 ? 0x0800 : 0x86dd);
  if (family === 4) {
    frame[ETHERNET_LENGTH] = 0x45;
    view.setUint16(ETHERNET_LENGTH + 2, ip + 20);
    frame[ETHERNET_LENGTH + 9] = 6;
  } else {
    frame[ETHERNET_LENGTH] = 0x60;
    view.setUint16(ETHERNET_LENGTH + 4, 20);
    frame[ETHERNET_LENGTH + 6] = 6;
  }
  frame[ETHERNET_LENGTH + ip + 12] = 0x50;
  frame[ETHERNET_LENGTH + ip + 13] = fresh === undefined ? TCP_FLAG.ack : TCP_FLAG.syn;
  return frame;
}
