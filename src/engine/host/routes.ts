/**
 * Which way packets go, as the kernel answers it, and its answers kept for a while.
 *
 * Netlink tells of every change but one: what routers said about the path to a destination (its MTU) comes and goes in
 * silence. So no answer is kept for longer than half a minute.
 */
import type { Address } from "../../net/address.ts";
import type { Link } from "./links.ts";
import { unspecified } from "./netlink/netlink-address.ts";
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
    const reply = this.#ask(destination, source, mark);
    if (reply.kind === "failed") {
      this.#options.onTrouble(`route-${reply.error}`);
      return "unreachable";
    }
    const answer = this.#understand(reply, destination, source);
    this.#cache.set(destination, source, mark, answer, this.#ticksOf(reply));
    this.#spentMs += performance.now() - began;
    return answer;
  }

  /**
   * For IPv4 the kernel answers about a packet of the host's own only if its source is (else EINVAL, as for a black
   * hole). One from another's address came in somewhere: where the way back to it leads. If the kernel finds that it
   * cannot have (EXDEV, of rp_filter), the source is of no help.
   */
  #ask(destination: Address, source: Address | undefined, mark: number): RouteReply {
    if (source === undefined || source.family === "inet6") {
      return this.#question.ask(destination, source, mark);
    }
    const back = this.route(source, undefined, 0);
    if (back === "local") return this.#askFromOwn(destination, source, mark);
    if (back !== "unreachable") {
      const { interfaceIndex } = back;
      const reply = this.#question.askForwarded(destination, source, mark, interfaceIndex);
      if (reply.error !== "EXDEV") return reply;
    }
    return this.#question.ask(destination, undefined, mark);
  }

  /** An address that another table than the local one makes the host's own is refused as a source, too. */
  #askFromOwn(destination: Address, source: Address, mark: number): RouteReply {
    const reply = this.#question.ask(destination, source, mark);
    if (reply.kind !== "refused") return reply;
    // The kernel says so in the words of a missing route (ENETUNREACH; older ones: EINVAL), even to itself.
    const isRefused = this.#question.ask(source, source, 0).kind === "refused";
    return this.#question.ask(destination, isRefused ? undefined : source, mark);
  }

  #understand(reply: RouteReply, destination: Address, source: Address | undefined): RouteAnswer {
    if (reply.kind === "local") return "local";
    if (reply.kind !== "unicast") return "unreachable";
    const link = this.#options.link(reply.interfaceIndex);
    if (link === undefined) return "unreachable";
    if (reply.isEncapsulated || link.header === "other") {
      this.#options.onTrouble(reply.isEncapsulated ? "route-encapsulates" : "link-unsupported");
      return "unreachable";
    }
    const mtu = reply.mtu === 0 ? link.mtu : Math.min(reply.mtu, link.mtu);
    const own = reply.source ?? source ?? unspecified(destination.family);
    return this.#ways.way(reply.interfaceIndex, reply.gateway ?? destination, own, mtu);
  }

  #ticksOf({ kind, interfaceIndex, expiresMs }: RouteReply): number {
    if (kind === "unicast" && this.#options.link(interfaceIndex) === undefined) {
      return UNREADY_TICKS;
    }
    return Math.min(LIFE_TICKS, Math.max(1, Math.ceil(expiresMs / MS_PER_TICK)));
  }
}
