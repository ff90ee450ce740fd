/**
 * From the next hop's address to the link-layer address that a frame needs: what the host's table says, nothing else.
 *
 * Whom it does not know the kernel asks for, as often and as long as it does for itself, while a few frames wait. Whom
 * it is no longer sure of it is told that we use, so that it asks. Pure: the clock, the kernel and the frames' way out
 * are handed in. net/core/neighbour.c.
 */
import type { Clock, Instant } from "../../../base/clock.ts";
import type { Address } from "../../../net/address.ts";
import { AddressMap } from "../../host/address-map.ts";
import type { KernelNeighbour, NeighbourFate } from "../../host/neighbour-table.ts";

export interface NeighboursOptions<Frame> {
  readonly clock: Clock;
  /** What the host's table says. */
  readonly known: (interfaceIndex: number, address: Address) => KernelNeighbour | undefined;
  /** Has the host look for `address`, or confirm it. False when it will not. */
  readonly ask: (interfaceIndex: number, address: Address) => boolean;
  /** A frame that waited may go, to `mac`. */
  readonly send: (frame: Frame, interfaceIndex: number, mac: Uint8Array) => void;
  /** A frame that waited has nobody to go to: "host unreachable" is the answer to its sender. */
  readonly undeliverable: (frame: Frame) => void;
  readonly limits?: Partial<NeighbourLimits>;
}

export interface NeighbourLimits {
  /** That wait for one neighbour; one more pushes out the oldest. */
  readonly framesPerNeighbour: number;
  readonly bytesPerNeighbour: number;
  /** That wait in all; one more is dropped. */
  readonly frames: number;
  readonly bytes: number;
}

export interface NeighbourStatistics {
  readonly waiting: number;
  /** Frames that waited and were pushed out, or found no room, or whose neighbour the host never decided about. */
  readonly dropped: number;
  /** Frames whose neighbour the host would not look for. */
  readonly refused: number;
  /** Frames whose neighbour did not answer. */
  readonly undeliverable: number;
}

/** Bytes for one neighbour as net.ipv4.neigh.default.unres_qlen_bytes has them. */
const DEFAULT_LIMITS: NeighbourLimits = {
  framesPerNeighbour: 64,
  bytesPerNeighbour: 212_992,
  frames: 4096,
  bytes: 0x80_0000,
};

/** The kernel decides within five seconds whether a stale neighbour is there, and tells. */
const CONFIRM_AGAIN_MS = 10_000;

/**
 * The kernel tells how it ends, after three seconds unless it is set otherwise; but not when it may not ask at all
 * (mcast_solicit=0).
 */
const PATIENCE_MS = 30_000;

interface Waiting<Frame> {
  readonly interfaceIndex: number;
  readonly address: Address;
  readonly since: number;
  frames: Frame[];
  bytes: number;
}

export class Neighbours<Frame extends { readonly bytes: Uint8Array }> {
  readonly #options: NeighboursOptions<Frame>;
  readonly #limits: NeighbourLimits;
  readonly #waiting = new AddressMap<Waiting<Frame>>();
  #frames = 0;
  #bytes = 0;
  #dropped = 0;
  #refused = 0;
  #undeliverable = 0;

  constructor(options: NeighboursOptions<Frame>) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  /** Six bytes, or undefined: then give the frame to hold(). */
  find(interfaceIndex: number, address: Address): Uint8Array | undefined {
    const known = this.#options.known(interfaceIndex, address);
    if (known === undefined) return undefined;
    if (known.isStale) {
      const now = this.#options.clock.now();
      if (now - known.confirmingSince >= CONFIRM_AGAIN_MS) {
        known.confirmingSince = now;
        this.#options.ask(interfaceIndex, address);
      }
    }
    return known.mac;
  }

  /** Keeps a frame until the host has found the neighbour, and sees to it that it looks. */
  hold(interfaceIndex: number, address: Address, frame: Frame): void {
    let waiting = this.#waiting.get(interfaceIndex, address);
    if (waiting === undefined) {
      // Neither is there an entry without a frame, nor is the host's table filled for nothing.
      if (this.#isFull(frame)) {
        this.#dropped++;
        return;
      }
      if (!this.#options.ask(interfaceIndex, address)) {
        this.#refused++;
        return;
      }
      const since = this.#options.clock.now();
      waiting = { interfaceIndex, address, since, frames: [], bytes: 0 };
      this.#waiting.set(interfaceIndex, address, waiting);
    }
    const { framesPerNeighbour, bytesPerNeighbour } = this.#limits;
    const { length } = frame.bytes;
    while (
      waiting.frames.length > 0 &&
      (waiting.frames.length >= framesPerNeighbour || waiting.bytes + length > bytesPerNeighbour)
    ) {
      this.#pushOut(waiting);
    }
    if (this.#isFull(frame)) {
      this.#dropped++;
      return;
    }
    waiting.frames.push(frame);
    waiting.bytes += length;
    this.#frames++;
    this.#bytes += length;
  }

  /** The host's table says something new of a neighbour. */
  hear(interfaceIndex: number, address: Address, fate: NeighbourFate): void {
    const waiting = this.#waiting.get(interfaceIndex, address);
    if (waiting === undefined) return;
    if (fate === "lost") {
      for (const frame of this.#take(waiting)) {
        this.#undeliverable++;
        this.#options.undeliverable(frame);
      }
      return;
    }
    const mac = this.#options.known(interfaceIndex, address)?.mac;
    if (mac !== undefined) {
      for (const frame of this.#take(waiting)) this.#options.send(frame, interfaceIndex, mac);
      return;
    }
    // Its entry was removed, perhaps before the kernel was asked: it may ask for it anew.
    if (!this.#options.ask(interfaceIndex, address)) this.#refused += this.#take(waiting).length;
  }

  /** Looks through everything that waits: news may have been lost. */
  review(): void {
    for (const { interfaceIndex, address } of this.#waiting.values()) {
      this.hear(interfaceIndex, address, "unknown");
    }
  }

  /** Gives up what the host never decided about. */
  expire(): void {
    const limit = this.#options.clock.now() - PATIENCE_MS;
    for (const waiting of this.#waiting.values()) {
      if (waiting.since <= limit) this.#dropped += this.#take(waiting).length;
    }
  }

  /** When expire() wants to be called next. */
  nextDeadline(): Instant {
    let first = this.#options.clock.now() as number;
    for (const { since } of this.#waiting.values()) first = Math.min(first, since);
    return (first + PATIENCE_MS) as Instant;
  }

  statistics(): NeighbourStatistics {
    return {
      waiting: this.#frames,
      dropped: this.#dropped,
      refused: this.#refused,
      undeliverable: this.#undeliverable,
    };
  }

  #isFull({ bytes: { length } }: Frame): boolean {
    const { frames, bytes } = this.#limits;
    return this.#frames >= frames || this.#bytes + length > bytes;
  }

  #pushOut(waiting: Waiting<Frame>): void {
    const oldest = waiting.frames.shift()!;
    waiting.bytes -= oldest.bytes.length;
    this.#frames--;
    this.#bytes -= oldest.bytes.length;
    this.#dropped++;
  }

  #take(waiting: Waiting<Frame>): Frame[] {
    this.#waiting.delete(waiting.interfaceIndex, waiting.address);
    this.#frames -= waiting.frames.length;
    this.#bytes -= waiting.bytes;
    return waiting.frames;
  }
}
