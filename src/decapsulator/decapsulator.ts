/**
 * The other end of the director's tunnels, for real servers whose kernel has no modules for them: packet ring → unwrapper
 * → host lane, so that the host's own stack receives what was inside as if from a wire.
 *
 * The ring rather than raw IP sockets, because its frames come with what their sender or the network card left undone
 * (checksum, segmentation), which then stays undone up to the host's stack: GRO makes one packet of many also inside of
 * tunnels.
 */
import type { Instant } from "../base/clock.ts";
import { HostNetwork } from "../engine/host/host-network.ts";
import { claimNamespace } from "../engine/host/namespace-claim.ts";
import { Memory } from "../engine/host/system/libc.ts";
import { ToldOnce, troubleName } from "../engine/host/told-once.ts";
import { inlineThePacketPath } from "../engine/userspace/inlining.ts";
import { Lane } from "../engine/userspace/lane/lane.ts";
import { LaneKeeper } from "../engine/userspace/lane/lane-keeper.ts";
import { PacketRing, type RingFrame } from "../engine/userspace/ring/packet-ring.ts";
import { tunnelFilter } from "../engine/userspace/ring/tunnel-filter.ts";
import {
  noOffload,
  type Offload,
  SEGMENTATION,
  VIRTIO_NET_HEADER_LENGTH,
} from "../engine/userspace/ring/virtio-net-header.ts";
import { Transmitter } from "../engine/userspace/sending/transmitter.ts";
import * as checksum from "../net/checksum.ts";
import { ETHERNET_HEADER_LENGTH } from "../net/ethernet.ts";
import { type Prefix, prefixContains } from "../net/prefix.ts";
import { HostSilence } from "./host-silence.ts";
import { isDelivery, OUTCOMES, type Outcome } from "./outcomes.ts";
import { Unwrapper } from "./unwrapper.ts";

const LANE = { host: "sluice-inner", own: "sluice-untunnel" } as const;

/** Of 512 KiB and seven frames each. */
const RING_BLOCKS = 71;

/** A packet that was put together from fragments, with a frame's header. */
const COPY_LENGTH = 0x1_1000;
const CHECKSUM_LENGTH = 2;

export interface DecapsulatorOptions {
  /** Names of those whose tunnel packets are taken. */
  readonly interfaces: readonly string[];
  /** UDP port of GUE; undefined takes none. */
  readonly guePort: number | undefined;
  /** Where tunnels may begin; empty allows every address. */
  readonly sources: readonly Prefix[];
  readonly events: DecapsulatorEvents;
}

export interface DecapsulatorEvents {
  /** Goes on, but not as it should: says what and what follows. */
  warn(message: string): void;
  /** What was warned of is over. */
  inform(message: string): void;
}

interface DecapsulatorParts {
  readonly claim: Disposable;
  readonly silence: HostSilence;
  readonly lane: Lane;
  readonly keeper: LaneKeeper;
  readonly network: HostNetwork;
}

export class Decapsulator implements AsyncDisposable {
  readonly #options: DecapsulatorOptions;
  readonly #parts: DecapsulatorParts;
  readonly #unwrapper: Unwrapper;
  readonly #transmitter: Transmitter;
  readonly #ring: PacketRing;
  readonly #copy: Memory;
  readonly #counts = new Map<Outcome, number>();
  readonly #offload: Offload = noOffload();
  readonly #troubles: ToldOnce;
  #isOpen = true;

  private constructor(options: DecapsulatorOptions, parts: DecapsulatorParts) {
    this.#options = options;
    this.#parts = parts;
    const { sources, guePort, events } = options;
    this.#troubles = new ToldOnce((name, error) =>
      events.warn(
        `a packet failed in a way that it should not (${name}): ${(error as Error).stack}`,
      ),
    );
    const { network } = parts;
    this.#unwrapper = new Unwrapper({
      isLocal: (address) => network.isLocal(address),
      mayTunnel: (address) =>
        sources.length === 0 || sources.some((prefix) => prefixContains(prefix, address)),
      guePort,
    });
    using stack = new DisposableStack();
    this.#transmitter = stack.use(parts.lane.inside(() => new Transmitter()));
    this.#copy = stack.use(Memory.allocate(COPY_LENGTH));
    this.#ring = new PacketRing({
      filter: this.#filter(),
      blocks: RING_BLOCKS,
      onFrame: (frame) => this.#receive(frame),
      onBatchEnd: () => this.#transmitter.flush(),
      onBug: (error) => this.#troubles.count(troubleName("bug", error), error),
    });
    stack.move();
  }

  /** Works from now on. Rejects when the host refuses, with the reason. */
  static async open(options: DecapsulatorOptions): Promise<Decapsulator> {
    const { interfaces, guePort, events } = options;
    inlineThePacketPath();
    await using stack = new AsyncDisposableStack();
    const claim = stack.use(await claimNamespace("decapsulator"));
    let decapsulator: Decapsulator | undefined;
    const network = stack.use(
      await HostNetwork.open({
        onChange: () => decapsulator?.networkChanged(),
        onError: (error) =>
          events.warn(`cannot follow the host's network, trying again: ${String(error)}`),
      }),
    );
    const known = new Set([...network.links.values()].map(({ name }) => name));
    for (const name of interfaces) {
      if (!known.has(name)) throw new Error(`Cannot listen on ${name}: there is no such interface`);
    }
    const silence = stack.use(
      await HostSilence.open({
        interfaces,
        guePort,
        onLost: (error) =>
          events.warn(`the host's own stack answers tunnel packets, too: ${error.message}`),
        onRestored: () => events.inform("the host's own stack is silent again"),
      }),
    );
    const lane = stack.use(new Lane(LANE));
    const keeper = stack.use(
      new LaneKeeper({
        lane,
        warn: (message, error) => events.warn(error ? `${message}: ${error.message}` : message),
      }),
    );
    keeper.keep(network.links);
    decapsulator = new Decapsulator(options, { claim, silence, lane, keeper, network });
    stack.move();
    return decapsulator;
  }

  /** Packets by what became of them, in OUTCOMES' order; and what was lost around. Only what happened. */
  counts(): ReadonlyMap<string, number> {
    const { dropped, stale } = this.#ring.statistics();
    const { congested, failed } = this.#transmitter.statistics();
    const { reassembled, ...lost } = this.#unwrapper.fragments;
    const rows: (readonly [string, number])[] = [
      ...OUTCOMES.map((outcome) => [outcome, this.#counts.get(outcome) ?? 0] as const),
      ["fragments-reassembled", reassembled],
      ["fragments-lost", Object.values(lost).reduce((sum, each) => sum + each, 0)],
      ["ring-full", dropped],
      ["ring-stale", stale],
      ["lane-congested", congested],
      ["lane-failed", Object.values(failed).reduce((sum, each) => sum + each, 0)],
      ...Object.entries(this.#parts.network.troubles()),
      ...Object.entries(this.#parts.keeper.reasons()),
      ...Object.entries(this.#troubles.counts()),
    ];
    return new Map(rows.filter(([, count]) => count > 0));
  }

  /** To be called when interfaces may have come or gone. */
  networkChanged(): void {
    if (!this.#isOpen) return;
    this.#ring.filter(this.#filter());
    this.#parts.keeper.keep(this.#parts.network.links);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#ring[Symbol.dispose]();
    this.#transmitter[Symbol.dispose]();
    this.#copy[Symbol.dispose]();
    const { claim, silence, lane, keeper, network } = this.#parts;
    keeper[Symbol.dispose]();
    network[Symbol.dispose]();
    await silence[Symbol.asyncDispose]();
    lane[Symbol.dispose]();
    claim[Symbol.dispose]();
  }

  #filter(): Uint8Array {
    const { interfaces, guePort } = this.#options;
    const links = [...this.#parts.network.links.values()];
    const wanted = links.filter(({ name }) => interfaces.includes(name));
    return tunnelFilter({ interfaces: wanted.map(({ index }) => index), guePort });
  }

  #receive(frame: RingFrame): void {
    const outcome = this.#open(frame);
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
    if (isDelivery(outcome)) this.#deliver(frame);
  }

  #open(frame: RingFrame): Outcome {
    const { memory, start, end, offload } = frame;
    if (frame.truncated) return "drop-truncated";
    if (start + ETHERNET_HEADER_LENGTH > end) return "drop-outer-malformed";
    const { segmentation } = offload;
    // UDP datagrams that were made one have a GUE header each.
    if (segmentation === SEGMENTATION.udp || segmentation === SEGMENTATION.udpL4) {
      return "drop-merged-datagrams";
    }
    const isMerged = segmentation !== SEGMENTATION.none;
    if (offload.needsChecksum && !isMerged && !finishChecksum(frame)) return "drop-outer-malformed";
    const { bytes } = memory;
    return this.#unwrapper.unwrap(bytes, start + ETHERNET_HEADER_LENGTH, end, now(), isMerged);
  }

  /** What the unwrapper found, into the host's own stack. */
  #deliver(frame: RingFrame): void {
    const { bytes, start, end } = this.#unwrapper.inner;
    if (bytes === frame.memory.bytes) {
      // Where the outer headers were there is room for an Ethernet header and the transmitter's own.
      this.#send(frame.memory, start, end, this.#shifted(frame, start - ETHERNET_HEADER_LENGTH));
      return;
    }
    const at = VIRTIO_NET_HEADER_LENGTH + ETHERNET_HEADER_LENGTH;
    this.#copy.bytes.set(bytes.subarray(start, end), at);
    this.#send(this.#copy, at, at + end - start, noOffload());
    this.#transmitter.flush();
  }

  #send(memory: Memory, start: number, end: number, offload: Offload): void {
    const { lane } = this.#parts;
    lane.writeHeader(memory.bytes, start);
    const frame = start - ETHERNET_HEADER_LENGTH;
    this.#transmitter.enqueue(memory, frame, end, lane.ownIndex, offload);
  }

  /** What is left undone of merged packets, as counted from the frame that begins at `start`. */
  #shifted({ start: before, offload }: RingFrame, start: number): Offload {
    const shifted = this.#offload;
    const isMerged = offload.segmentation !== SEGMENTATION.none;
    shifted.needsChecksum = isMerged && offload.needsChecksum;
    shifted.segmentation = offload.segmentation;
    shifted.segmentSize = offload.segmentSize;
    shifted.checksumStart = isMerged ? Math.max(0, offload.checksumStart - (start - before)) : 0;
    shifted.checksumOffset = isMerged ? offload.checksumOffset : 0;
    return shifted;
  }
}

/** Does what the sender left to a network card: outer checksums may be over it. False when it lies outside the frame. */
function finishChecksum({ memory, start, end, offload }: RingFrame): boolean {
  const from = start + offload.checksumStart;
  const field = from + offload.checksumOffset;
  if (field + CHECKSUM_LENGTH > end) return false;
  checksum.completePartial(memory.bytes, from, field, end);
  return true;
}

function now(): Instant {
  return performance.now() as Instant;
}
