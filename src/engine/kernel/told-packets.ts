/**
 * Packets that the program tells of while somebody watches, read from a ring of the kernel's (BPF_MAP_TYPE_RINGBUF): a page
 * with the reader's place, a page with the writer's, then the data, mapped twice in a row so that no record is ever cut.
 * kernel/bpf/ringbuf.c; the reader is ringbuf_process_ring() of libbpf's ringbuf.c.
 *
 * Nobody is woken: the ring is looked at some times a second. What finds no room meanwhile is counted there.
 */
import type { Instant } from "../../base/clock.ts";
import type { TraceFilter } from "../../ipvs/trace/trace-filter.ts";
import { Address } from "../../net/address.ts";
import { IP_VERSION } from "../../net/ip-family.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { readMac } from "../../net/mac-address.ts";
import { TCP_OFFSET } from "../../net/tcp.ts";
import type { ForwardedPacket, ForwardedWatch } from "../flow-offload.ts";
import { Memory } from "../host/system/libc.ts";
import { flowKey, settings, toldPacket, verdict, watch } from "./abi.ts";
import type { KernelMaps } from "./kernel-maps.ts";

const LOOK_MS = 20;
/** Of one look: so many are read, and others have their turn. */
const READ_MAX = 500;
const PAGE = 4096;
const RING = 0x2_0000;
const RECORD_HEADER = 8;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
const NANOSECONDS = 1e6;
const IPV6_HEADER_LENGTH = 40;
const IPV4_HEADER_LENGTH = 20;

const NUMBERS = { TCP: IP_PROTOCOL.tcp, UDP: IP_PROTOCOL.udp, SCTP: IP_PROTOCOL.sctp } as const;

export interface ToldPacketsParts {
  readonly maps: KernelMaps;
  /** What the director knows a destination by, of the programs' number for it. */
  readonly destinationIdOf: (slot: number) => number;
  readonly reasonOf: (verdict: number) => string;
  /** Whose link-layer address a frame was sent to. */
  readonly neighbourOf: (interfaceIndex: number, mac: Uint8Array) => string | undefined;
}

export class ToldPackets implements Disposable {
  readonly #parts: ToldPacketsParts;
  readonly #told: ForwardedWatch;
  readonly #watch: Memory;
  readonly #reader: Memory;
  readonly #data: Memory;
  readonly #timer: NodeJS.Timeout;
  #missed: number;

  /** Throws a SystemCallError when the ring cannot be mapped. */
  constructor(parts: ToldPacketsParts, told: ForwardedWatch) {
    this.#parts = parts;
    this.#told = told;
    using stack = new DisposableStack();
    const ring = parts.maps.toldPackets;
    const attempt = "read what the program tells of packets";
    this.#watch = stack.use(Memory.shared(parts.maps.watches, watch.size, attempt));
    this.#reader = stack.use(Memory.shared(ring, PAGE, attempt));
    this.#data = stack.use(Memory.sharedToRead(ring, PAGE + 2 * RING, attempt, PAGE));
    stack.move();
    this.#missed = this.#missedSoFar();
    this.#fillWatch(told.filters);
    // What an earlier watcher left is nobody's.
    this.#reader.view.setBigUint64(0, this.#data.view.getBigUint64(0, true), true);
    parts.maps.settings.view.setUint32(settings.isWatched, 1, true);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#parts.maps.settings.view.setUint32(settings.isWatched, 0, true);
    this.#data[Symbol.dispose]();
    this.#reader[Symbol.dispose]();
    this.#watch[Symbol.dispose]();
  }

  #look(): void {
    const positions = new BigUint64Array(this.#reader.bytes.buffer, 0, 1);
    const written = new BigUint64Array(this.#data.bytes.buffer, 0, 1);
    const { view } = this.#data;
    let place = Number(Atomics.load(positions, 0));
    for (let count = 0; count < READ_MAX; count++) {
      if (place >= Number(Atomics.load(written, 0))) break;
      const at = PAGE + (place % RING);
      const length = view.getUint32(at, true);
      if ((length & BUSY) !== 0) break;
      const bytes = length & ~(BUSY | DISCARDED);
      if ((length & DISCARDED) === 0) this.#tell(at + RECORD_HEADER);
      place += (RECORD_HEADER + bytes + 7) & ~7;
    }
    Atomics.store(positions, 0, BigInt(place));
    const missed = this.#missedSoFar();
    if (missed > this.#missed) this.#told.missed(missed - this.#missed);
    this.#missed = missed;
  }

  #missedSoFar(): number {
    return Number(this.#watch.view.getBigUint64(watch.missed, true));
  }

  /** One who wants all is told all; several who want different ones, too. */
  #fillWatch(filters: readonly TraceFilter[]): void {
    const { view, bytes } = this.#watch;
    bytes.fill(0, watch.client);
    const [only, ...others] = filters;
    if (only === undefined || others.length > 0) return;
    const { protocol, client } = only;
    if (protocol !== undefined && protocol !== "ICMP") {
      view.setUint8(watch.protocol, NUMBERS[protocol]);
    }
    if (client === undefined) return;
    const { family } = client.address;
    view.setUint8(watch.family, IP_VERSION[family]);
    const all = family === "inet" ? Address.inet(-1) : Address.inet6(-1, -1, -1, -1);
    const mask = all.masked(client.length);
    const address = client.address.masked(client.length);
    // Zeros in the words that an IPv4 address does not have.
    for (const [word, name] of (["w0", "w1", "w2", "w3"] as const).entries()) {
      view.setInt32(watch.mask + 4 * word, mask[name]);
      view.setInt32(watch.client + 4 * word, address[name]);
    }
  }

  #tell(at: number): void {
    const { view, bytes } = this.#data;
    const key = at + toldPacket.key;
    const family = view.getUint8(key + flowKey.family);
    const address = (from: number): Address => {
      const [w0, w1, w2, w3] = [0, 4, 8, 12].map((word) => view.getInt32(from + word));
      return family === 4 ? Address.inet(w3!) : Address.inet6(w0!, w1!, w2!, w3!);
    };
    const source = {
      address: address(key + flowKey.source),
      port: view.getUint16(key + flowKey.sourcePort),
    };
    const destination = {
      address: address(key + flowKey.destination),
      port: view.getUint16(key + flowKey.destinationPort),
    };
    const rewritten = {
      address: address(at + toldPacket.address),
      port: view.getUint16(at + toldPacket.port),
    };
    const number = view.getUint32(at + toldPacket.verdict, true);
    const isReply = number === verdict.forwardReply;
    const isRewritten = number === verdict.forwardMasquerade;
    const protocol = view.getUint8(key + flowKey.protocol);
    const link = at + toldPacket.linkAddresses;
    const departure = view.getUint32(at + toldPacket.departure, true);
    const headersLength = view.getUint32(at + toldPacket.headersLength, true);
    const headers = bytes.slice(at + toldPacket.headers, at + toldPacket.headers + headersLength);
    const transport = family === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
    const mac = bytes.slice(link, link + 6);
    const packet: ForwardedPacket = {
      at: (Number(view.getBigUint64(at + toldPacket.at, true)) / NANOSECONDS) as Instant,
      protocol,
      source,
      destination,
      bytes: view.getUint32(at + toldPacket.length, true),
      tcpFlags: headers[transport + TCP_OFFSET.flags] ?? 0,
      arrival: view.getUint32(at + toldPacket.arrival, true),
      destinationId: this.#parts.destinationIdOf(view.getUint32(at + toldPacket.destination, true)),
      isReply,
      isNew: view.getUint8(at + toldPacket.isNew) !== 0,
      state: view.getUint8(at + toldPacket.state),
      isSent: number !== verdict.dropNoMemory,
      reason: this.#parts.reasonOf(number),
      sent: {
        source: isReply ? rewritten : source,
        destination: isRewritten ? rewritten : destination,
      },
      departure,
      nextHop: this.#parts.neighbourOf(departure, mac) ?? readMac(mac, 0),
      headers,
    };
    this.#told.told(packet);
  }
}
