/**
 * Which way packets go, as the kernel answers it, and its answers kept for a while.
 *
 * Netlink tells of every change but one: what routers said about the path to a destination (its MTU) comes and goes in
 * silence. So no answer is kept for longer than half a minute.
 */
import type { Address } from "../../../net/address.ts";
import type { Link } from "./links.ts";
import { unspecified } from "./netlink-address.ts";
import { type RouteAnswer, RouteCache } from "./route-cache.ts";
import { RouteQuestion, type RouteReply } from "./route-question.ts";
import { Ways } from "./ways.ts";

export type { RouteAnswer } from "./route-cache.ts";

/** Ticks are seconds. A hundred thousand clients then ask some 3,000 times a second. */
const LIFE_TICKS = 30;
const MS_PER_TICK = 1_000;
/** An answer about an interface that has not been read yet. */
const UNREADY_TICKS = 0;

export interface RoutesOptions {
  readonly link: (index: number) => Link | undefined;
  /** A question that got no answer, or a way that cannot be gone, by name. */
  readonly onTrouble: (name: string) => void;
}

export class Routes implements Disposable {
  readonly #options: RoutesOptions;
  readonly #question = new RouteQuestion();
  readonly #cache = new RouteCache();
  readonly #ways = new Ways();
  #spentMs = 0;

  constructor(options: RoutesOptions) {
    this.#options = options;
  }

  /** The way to `destination` of a packet with `mark`, from `source` if one is given. */
  route(destination: Address, source: Address | undefined, mark: number): RouteAnswer {
    return this.#cache.find(destination, source, mark) ?? this.#find(destination, source, mark);
  }

  /** Of the entry that leads to `destination`. */
  prefixLength(destination: Address): number {
    return this.#question.match(destination).prefixLength;
  }

  /** Answers of before no longer hold. */
  forget(): void {
    this.#cache.clear();
  }

  /** To be called once a second. */
  tick(): void {
    this.#cache.tick();
  }

  /** Milliseconds that questions took since the last call. */
  takeTimeSpent(): number {
    const spent = this.#spentMs;
    this.#spentMs = 0;
    return spent;
  }

  [Symbol.dispose](): void {
    this.#question[Symbol.dispose]();
  }

  #find(destination: Address, source: Address | undefined, mark: number): RouteAnswer {
    const began = performance.now();
    const from = this.#knownSource(source);
    const reply = this.#question.ask(destination, from, mark);
    if (reply.kind === "failed") {
      this.#options.onTrouble(`route-${reply.error}`);
      return "unreachable";
    }
    const answer = this.#understand(reply, destination, from);
    this.#cache.set(destination, source, mark, answer, this.#ticksOf(reply));
    this.#spentMs += performance.now() - began;
    return answer;
  }

  /**
   * The kernel routes for IPv4 sources only that are its own (EINVAL), as a blackhole is refused, too; but a packet of
   * another's (FLOWI_FLAG_ANYSRC) does not lead to a question: it goes as one without a source.
   */
  #knownSource(source: Address | undefined): Address | undefined {
    if (source === undefined || source.family === "inet6") return source;
    return this.route(source, undefined, 0) === "local" ? source : undefined;
  }

  #understand(reply: RouteReply, destination: Address, from: Address | undefined): RouteAnswer {
    if (reply.kind === "local") return "local";
    if (reply.kind !== "unicast") return "unreachable";
    const link = this.#options.link(reply.interfaceIndex);
    if (link === undefined) return "unreachable";
    if (reply.isEncapsulated || link.header === "other") {
      this.#options.onTrouble(reply.isEncapsulated ? "route-encapsulates" : "link-unsupported");
      return "unreachable";
    }
    const mtu = reply.mtu === 0 ? link.mtu : Math.min(reply.mtu, link.mtu);
    const source = reply.source ?? from ?? unspecified(destination.family);
    return this.#ways.way(reply.interfaceIndex, reply.gateway ?? destination, source, mtu);
  }

  #ticksOf({ kind, interfaceIndex, expiresMs }: RouteReply): number {
    if (kind === "unicast" && this.#options.link(interfaceIndex) === undefined) {
      return UNREADY_TICKS;
    }
    return Math.min(LIFE_TICKS, Math.max(1, Math.ceil(expiresMs / MS_PER_TICK)));
  }
}
