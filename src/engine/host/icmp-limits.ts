/**
 * How many ICMP errors the host may send: as the kernel limits its own, first all of them, then those to one peer.
 *
 * icmpv4_global_allow(), icmpv4_xrlim_allow(), icmp_global_allow(), icmp_global_consume(), inet_peer_xrlim_allow() in
 * net/ipv4/icmp.c; icmpv6_xrlim_allow() in net/ipv6/icmp.c. Pure: clock, chance, settings and routes are handed in.
 */
import type { Clock } from "../../base/clock.ts";
import type { Trouble } from "../../ipvs/forward/notices.ts";
import type { Address } from "../../net/address.ts";

/** The settings of /proc/sys/net, in their units. */
export interface IcmpSettings {
  /** ipv4.icmp_ratelimit: milliseconds for one message to a peer; 0 is no limit. */
  readonly rateLimitMs: number;
  /** ipv4.icmp_ratemask: a bit for each limited type. */
  readonly rateMask: number;
  /** ipv6.icmp.ratelimit. */
  readonly rateLimitMs6: number;
  /** ipv6.icmp.ratemask: the limited types. */
  readonly limitedTypes6: ReadonlySet<number>;
  /** ipv4.icmp_msgs_per_sec, for both families. */
  readonly messagesPerSecond: number;
  /** ipv4.icmp_msgs_burst. */
  readonly messagesBurst: number;
}

export interface IcmpLimitsOptions {
  readonly clock: Clock;
  readonly settings: () => IcmpSettings;
  /** Whether the way to a recipient ends in the host itself, leads out of it, or does not exist. */
  readonly wayTo: (recipient: Address) => "inside" | "outside" | "nowhere";
  /** The length of the prefix of the route to an IPv6 address: wider ones may have more. */
  readonly prefixLength: (destination: Address) => number;
  /** 0, 1 or 2: what a message costs of what all may send, so that nobody can tell by counting who else was told. */
  readonly cost: () => number;
  readonly peersMax?: number;
}

type Kind = Trouble["kind"];

/** The types of ICMP: destination unreachable, time exceeded. */
// biome-ignore format: a table
const TYPE: Readonly<Record<Kind, number>> = { "port-unreachable": 3, "host-unreachable": 3, "time-exceeded": 11, "too-big": 3 };
/** Of ICMPv6; packet too big has its own. */
// biome-ignore format: a table
const TYPE6: Readonly<Record<Kind, number>> = { "port-unreachable": 1, "host-unreachable": 1, "time-exceeded": 3, "too-big": 2 };

/** XRLIM_BURST_FACTOR: messages to a peer that has had none for long. */
const BURST_FACTOR = 6;
/** A new peer has not been told anything for so long: inet_getpeer(). */
const NEW_PEER_MS = 60_000;
/** What all may send grows by no less than this at a time, and by no more: HZ / 50, HZ. */
const GROWTH_MIN_MS = 20;
const GROWTH_MAX_MS = 1_000;

/** The kernel's own threshold is 65,664 (inet_peer_threshold); one that was forgotten begins anew. */
const PEERS_MAX = 16_384;

/** How long the length of a peer's prefix is believed. */
const PREFIX_LIFE_MS = 1_000;

interface Peer {
  tokens: number;
  at: number;
  prefixLength: number;
  prefixAt: number;
}

export class IcmpLimits {
  readonly #options: IcmpLimitsOptions;
  readonly #peersMax: number;
  /** The one that was looked at last is last. */
  readonly #peers = new Map<string, Peer>();
  #credit = 0;
  #grownAt = Number.NEGATIVE_INFINITY;

  constructor(options: IcmpLimitsOptions) {
    this.#options = options;
    this.#peersMax = options.peersMax ?? PEERS_MAX;
  }

  /**
   * Whether one more may go; asking counts as sending. Who floods us is no reason to ask the kernel for ways: that comes
   * after what all may be told, as with icmp_send(). No limit for a peer that is the host itself.
   */
  mayTell(recipient: Address, kind: Kind): boolean {
    const settings = this.#options.settings();
    if (recipient.isLoopback || !isLimited(recipient, kind, settings)) return true;
    const now = Math.floor(this.#options.clock.now());
    if (!this.#mayAnybody(now, settings)) return false;
    const way = this.#options.wayTo(recipient);
    if (way === "nowhere") return false;
    if (way === "outside" && !this.#mayPeer(recipient, now, settings)) return false;
    this.#credit -= this.#options.cost();
    return true;
  }

  #mayPeer(recipient: Address, now: number, settings: IcmpSettings): boolean {
    const peer = this.#peer(recipient, now);
    return mayPeer(peer, now, this.#timeout(peer, recipient, now, settings));
  }

  #mayAnybody(now: number, { messagesPerSecond, messagesBurst }: IcmpSettings): boolean {
    if (this.#credit > 0) return true;
    const passed = Math.min(now - this.#grownAt, GROWTH_MAX_MS);
    if (passed < GROWTH_MIN_MS) return false;
    const growth = Math.floor((messagesPerSecond * passed) / 1_000);
    if (growth === 0) return false;
    this.#grownAt = now;
    this.#credit = Math.min(this.#credit + growth, messagesBurst);
    return true;
  }

  /** How long a peer must wait for one more, when it has none left. */
  #timeout(peer: Peer, recipient: Address, now: number, settings: IcmpSettings): number {
    if (recipient.family === "inet") return settings.rateLimitMs;
    if (now - peer.prefixAt >= PREFIX_LIFE_MS) {
      peer.prefixLength = this.#options.prefixLength(recipient);
      peer.prefixAt = now;
    }
    return settings.rateLimitMs6 >> ((128 - peer.prefixLength) >> 5);
  }

  #peer(recipient: Address, now: number): Peer {
    const key = recipient.toString();
    const peer = this.#peers.get(key) ?? {
      tokens: 0,
      at: now - NEW_PEER_MS,
      prefixLength: 128,
      prefixAt: Number.NEGATIVE_INFINITY,
    };
    this.#peers.delete(key);
    if (this.#peers.size >= this.#peersMax) this.#forgetOldest();
    this.#peers.set(key, peer);
    return peer;
  }

  #forgetOldest(): void {
    for (const key of this.#peers.keys()) {
      this.#peers.delete(key);
      return;
    }
  }
}

/** inet_peer_xrlim_allow(). */
function mayPeer(peer: Peer, now: number, timeout: number): boolean {
  if (now !== peer.at) {
    peer.tokens = Math.min(peer.tokens + now - peer.at, BURST_FACTOR * timeout);
    peer.at = now;
  }
  if (peer.tokens < timeout) return false;
  peer.tokens -= timeout;
  return true;
}

/** icmpv4_mask_allow(), icmpv6_mask_allow(): path MTU discovery of IPv4 never is. */
function isLimited({ family }: Address, kind: Kind, settings: IcmpSettings): boolean {
  if (family === "inet6") return settings.limitedTypes6.has(TYPE6[kind]);
  return kind !== "too-big" && (settings.rateMask & (1 << TYPE[kind])) !== 0;
}
