/**
 * From the next hop's address to the link-layer address that a frame needs.
 *
 * What the host's own stack knows is used first. What it does not know is asked for (ARP, neighbour discovery), while a
 * few frames wait. Pure: the clock, the question and the frames' way out are handed in. RFC 1122 section 2.3.2,
 * RFC 4861 section 7.3, net/core/neighbour.c.
 */
import type { Clock, Instant } from "../../../base/clock.ts";
import type { Address } from "../../../net/address.ts";
import { AddressMap } from "./address-map.ts";
import type { KernelNeighbour } from "./neighbour-table.ts";

export interface NeighboursOptions<Frame> {
  readonly clock: Clock;
  /** What the host's own stack knows. */
  readonly known: (interfaceIndex: number, address: Address) => KernelNeighbour | undefined;
  /** Asks who has `address`: of everybody, or of `mac` alone when it is to be confirmed. */
  readonly ask: (interfaceIndex: number, address: Address, mac: Uint8Array | undefined) => void;
  /** A frame that waited may go, to `mac`. */
  readonly send: (frame: Frame, interfaceIndex: number, mac: Uint8Array) => void;
  /** A frame that waited has nobody to go to: "host unreachable" is the answer to its sender. */
  readonly undeliverable: (frame: Frame, interfaceIndex: number, address: Address) => void;
  readonly limits?: Partial<NeighbourLimits>;
}

export interface NeighbourLimits {
  /** That wait for one neighbour; one more pushes out the oldest. */
  readonly framesPerNeighbour: number;
  /** That wait in all; one more is dropped. */
  readonly frames: number;
  /** That are remembered; frames for one more are undeliverable. */
  readonly neighbours: number;
}

export interface NeighbourStatistics {
  readonly neighbours: number;
  readonly waiting: number;
  /** Frames that waited and were pushed out, or found no room. */
  readonly dropped: number;
  /** Frames whose neighbour did not answer, or was one too many. */
  readonly undeliverable: number;
}

const DEFAULT_LIMITS: NeighbourLimits = {
  framesPerNeighbour: 64,
  frames: 4096,
  neighbours: 16_384,
};

const QUESTIONS_MAX = 3;
const QUESTION_INTERVAL_MS = 1_000;
/** How long an answer holds (RFC 4861's REACHABLE_TIME). Then it is confirmed, while frames go on. */
const CONFIRMED_MS = 30_000;
const FORGET_UNUSED_MS = 600_000;
const SWEEP_INTERVAL_MS = 60_000;

/** A question that was put `count` times, and gets its next turn at `nextAt`. */
interface Question {
  count: number;
  nextAt: number;
}

interface Neighbour<Frame> {
  readonly interfaceIndex: number;
  readonly address: Address;
  /** Undefined until somebody answered. */
  mac: Uint8Array | undefined;
  confirmedAt: number;
  usedAt: number;
  question: Question | undefined;
  /** Only while there is no `mac`. */
  frames: Frame[];
}

export class Neighbours<Frame> {
  readonly #options: NeighboursOptions<Frame>;
  readonly #limits: NeighbourLimits;
  readonly #neighbours = new AddressMap<Neighbour<Frame>>();
  /** Those with a question open. */
  readonly #asking = new Set<Neighbour<Frame>>();
  #nextSweep: number;
  #waiting = 0;
  #dropped = 0;
  #undeliverable = 0;

  constructor(options: NeighboursOptions<Frame>) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#nextSweep = options.clock.now() + SWEEP_INTERVAL_MS;
  }

  /** Six bytes, or undefined: then give the frame to hold(). */
  find(interfaceIndex: number, address: Address): Uint8Array | undefined {
    const kernel = this.#options.known(interfaceIndex, address);
    if (kernel !== undefined && kernel.certainty !== "stale") return kernel.mac;
    const now = this.#options.clock.now();
    let neighbour = this.#neighbours.get(interfaceIndex, address);
    if (neighbour?.mac === undefined) {
      if (kernel === undefined) return undefined;
      // As good as the kernel's word, which was true once; so it is used, and confirmed.
      neighbour ??= this.#remember(interfaceIndex, address);
      if (neighbour === undefined) return kernel.mac;
      this.#found(neighbour, kernel.mac, now - CONFIRMED_MS);
    }
    neighbour.usedAt = now;
    const isOld = now - neighbour.confirmedAt >= CONFIRMED_MS;
    if (isOld && neighbour.question === undefined) this.#ask(neighbour, now);
    return neighbour.mac;
  }

  /** Keeps a frame until the neighbour is found, and sees to it that it is looked for. */
  hold(interfaceIndex: number, address: Address, frame: Frame): void {
    const now = this.#options.clock.now();
    const neighbour =
      this.#neighbours.get(interfaceIndex, address) ?? this.#remember(interfaceIndex, address);
    if (neighbour === undefined) {
      this.#giveUp(frame, interfaceIndex, address);
      return;
    }
    if (neighbour.mac !== undefined) {
      this.#options.send(frame, interfaceIndex, neighbour.mac);
      return;
    }
    neighbour.usedAt = now;
    if (neighbour.question === undefined) this.#ask(neighbour, now);
    if (neighbour.frames.length >= this.#limits.framesPerNeighbour) {
      neighbour.frames.shift();
      this.#waiting--;
      this.#dropped++;
    }
    if (this.#waiting >= this.#limits.frames) {
      this.#dropped++;
      return;
    }
    neighbour.frames.push(frame);
    this.#waiting++;
  }

  /**
   * Takes over what an ARP message or neighbour advertisement says, or what the host's stack found out. Only about
   * neighbours that are in use: strangers cannot fill the table.
   */
  learn(interfaceIndex: number, address: Address, mac: Uint8Array): void {
    const neighbour = this.#neighbours.get(interfaceIndex, address);
    if (neighbour !== undefined) this.#found(neighbour, mac.slice(), this.#options.clock.now());
  }

  /** Asks again, gives up, forgets: what is due. */
  expire(): void {
    const now = this.#options.clock.now();
    for (const neighbour of this.#asking) {
      const { question } = neighbour;
      if (question === undefined || question.nextAt > now) continue;
      if (question.count < QUESTIONS_MAX) this.#ask(neighbour, now);
      else this.#lose(neighbour);
    }
    if (now < this.#nextSweep) return;
    this.#nextSweep = now + SWEEP_INTERVAL_MS;
    for (const neighbour of this.#neighbours.values()) {
      const isUnused = now - neighbour.usedAt >= FORGET_UNUSED_MS;
      if (isUnused && neighbour.question === undefined) this.#forget(neighbour);
    }
  }

  /** When expire() wants to be called next. */
  nextDeadline(): Instant {
    let deadline = this.#nextSweep;
    for (const { question } of this.#asking) {
      if (question !== undefined) deadline = Math.min(deadline, question.nextAt);
    }
    return deadline as Instant;
  }

  statistics(): NeighbourStatistics {
    return {
      neighbours: this.#neighbours.size,
      waiting: this.#waiting,
      dropped: this.#dropped,
      undeliverable: this.#undeliverable,
    };
  }

  /** Undefined when there are too many. */
  #remember(interfaceIndex: number, address: Address): Neighbour<Frame> | undefined {
    if (this.#neighbours.size >= this.#limits.neighbours) return undefined;
    const neighbour: Neighbour<Frame> = {
      interfaceIndex,
      address,
      mac: undefined,
      confirmedAt: 0,
      usedAt: this.#options.clock.now(),
      question: undefined,
      frames: [],
    };
    this.#neighbours.set(interfaceIndex, address, neighbour);
    return neighbour;
  }

  #ask(neighbour: Neighbour<Frame>, now: number): void {
    neighbour.question ??= { count: 0, nextAt: now };
    neighbour.question.count++;
    neighbour.question.nextAt = now + QUESTION_INTERVAL_MS;
    this.#asking.add(neighbour);
    this.#options.ask(neighbour.interfaceIndex, neighbour.address, neighbour.mac);
  }

  #found(neighbour: Neighbour<Frame>, mac: Uint8Array, confirmedAt: number): void {
    neighbour.mac = mac;
    neighbour.confirmedAt = confirmedAt;
    this.#settle(neighbour);
    for (const frame of this.#takeFrames(neighbour)) {
      this.#options.send(frame, neighbour.interfaceIndex, mac);
    }
  }

  /** Nobody answered. An address that was to be confirmed is gone: the next frame asks everybody. */
  #lose(neighbour: Neighbour<Frame>): void {
    this.#forget(neighbour);
    for (const frame of this.#takeFrames(neighbour)) {
      this.#giveUp(frame, neighbour.interfaceIndex, neighbour.address);
    }
  }

  #forget(neighbour: Neighbour<Frame>): void {
    this.#settle(neighbour);
    this.#neighbours.delete(neighbour.interfaceIndex, neighbour.address);
  }

  #settle(neighbour: Neighbour<Frame>): void {
    neighbour.question = undefined;
    this.#asking.delete(neighbour);
  }

  #takeFrames(neighbour: Neighbour<Frame>): Frame[] {
    const { frames } = neighbour;
    neighbour.frames = [];
    this.#waiting -= frames.length;
    return frames;
  }

  #giveUp(frame: Frame, interfaceIndex: number, address: Address): void {
    this.#undeliverable++;
    this.#options.undeliverable(frame, interfaceIndex, address);
  }
}
