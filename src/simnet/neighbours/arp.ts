/** ARP: who asks, who is answered, what is believed. arp_process() and arp_solicit() of the kernel's net/ipv4/arp.c. */
import type { Address } from "../../net/address.ts";
import {
  ARP_OPERATION,
  type ArpMessage,
  ArpView,
  emitArp,
  emitArpReply,
  emitArpRequest,
} from "../../net/arp.ts";
import { ETHERTYPE, emitEthernet } from "../../net/ethernet.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { BROADCAST_MAC, type MacAddress } from "../../net/mac-address.ts";
import { confirmsAddress, selectAddress } from "../host/address-choice.ts";
import type { Host } from "../host/host.ts";
import type { NetworkInterface } from "../host/interface.ts";
import type { IncomingFrame } from "../ip/packets.ts";

/** Who heard a reply, beside the kernel: arping. */
export type ReplyListener = (
  card: NetworkInterface,
  message: ArpMessage,
  frame: IncomingFrame,
) => void;

export class Arp {
  readonly listeners = new Set<ReplyListener>();
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  receive(frame: IncomingFrame): undefined {
    const { interface: card, payload } = frame;
    const view = ArpView.over(payload);
    if (typeof view === "string") return this.#host.dropFrame(frame, "malformed");
    const { message } = view;
    for (const listen of this.listeners) listen(card, message, frame);
    const { operation, sender, target } = message;
    if (target.isMulticast || (target.isLoopback && !this.#isRoutingLoopback(card))) {
      return this.#host.dropFrame(frame, "martian-destination");
    }
    const isRequest = operation === ARP_OPERATION.request;
    if (!isRequest && operation !== ARP_OPERATION.reply) {
      return this.#host.dropFrame(frame, "unsupported");
    }
    if (sender.isUnspecified) return this.#answerDuplicateDetection(frame, message);
    if (isRequest && this.#answer(frame, message)) return undefined;
    return this.#believe(frame, message);
  }

  /** Asks for `target`; `about` is the packet that waits for the answer, whose source arp_announce may let be told. */
  solicit(
    card: NetworkInterface,
    target: Address,
    about: Uint8Array | undefined,
    known: MacAddress | undefined,
  ): undefined {
    const sender = this.#announced(card, target, about);
    if (sender === undefined) return;
    const request = emitArpRequest(card.mac, sender, target);
    this.#host.sendFrame(card, emitFrame(card.mac, known ?? BROADCAST_MAC, request));
  }

  /** Gratuitous ARP, RFC 5227 section 3: everybody is told where `address` is. */
  announce(
    card: NetworkInterface,
    address: Address,
    operation: keyof typeof ARP_OPERATION = "request",
  ): undefined {
    const told = emitArp({
      operation: ARP_OPERATION[operation],
      senderMac: card.mac,
      sender: address,
      targetMac: operation === "reply" ? card.mac : BROADCAST_MAC,
      target: address,
    });
    this.#host.sendFrame(card, emitFrame(card.mac, BROADCAST_MAC, told));
  }

  /** arp_solicit(): which of the host's addresses the question carries. */
  #announced(
    card: NetworkInterface,
    target: Address,
    about: Uint8Array | undefined,
  ): Address | undefined {
    const packet = about === undefined ? undefined : Ipv4View.over(about);
    const source = packet instanceof Ipv4View ? packet.source : undefined;
    const isOwn = source !== undefined && this.#host.isLocal(source);
    switch (this.#host.settings.greater("arp_announce", card.name)) {
      case 1:
        if (isOwn && card.isOnLink(target, source)) return source;
        break;
      case 2:
        break;
      default:
        if (isOwn) return source;
    }
    return selectAddress(this.#host.interfaces, card, target, "link");
  }

  /** True when the question was one to this host, whether it was answered or not. */
  #answer(frame: IncomingFrame, message: ArpMessage): boolean {
    const { interface: card } = frame;
    const { sender, target, senderMac } = message;
    // The question goes the way of a packet from its sender to its target: what that way refuses is not answered.
    const way = this.#host.inet.arrivalOf(sender, target, card);
    if (way.kind === "refused" && way.isStrange) {
      this.#host.dropFrame(frame, way.reason);
      this.#host.neighbours.learn(card, sender, senderMac, { state: "STALE", overrides: false });
      return true;
    }
    if (way.kind !== "local") {
      if (way.kind === "forward" && this.#isProxyFor(card, way.route.interface)) {
        this.#reply(card, message, senderMac);
        return true;
      }
      return false;
    }
    if (this.#isIgnored(card, sender, target) || this.#isFiltered(card, sender)) {
      this.#host.dropFrame(frame, "arp-ignored");
      return true;
    }
    this.#host.neighbours.learn(card, sender, senderMac, { state: "STALE", overrides: true }, true);
    this.#reply(card, message, senderMac);
    return true;
  }

  /** RFC 5227 section 2.1.1: somebody is about to take an address, and asks whether another has it. */
  #answerDuplicateDetection(frame: IncomingFrame, message: ArpMessage): undefined {
    const { interface: card } = frame;
    const { operation, sender, target, senderMac } = message;
    if (operation !== ARP_OPERATION.request) return;
    if (!this.#host.isLocal(target)) return this.#host.dropFrame(frame, "arp-not-ours");
    if (this.#isIgnored(card, sender, target)) return this.#host.dropFrame(frame, "arp-ignored");
    return this.#reply(card, message, senderMac);
  }

  /** What anybody says updates what is known; only an answer to this host proves that its sender is there. */
  #believe(
    frame: IncomingFrame,
    { operation, sender, target, senderMac, targetMac }: ArpMessage,
  ): undefined {
    const { interface: card } = frame;
    const isReply = operation === ARP_OPERATION.reply;
    const isGratuitous =
      sender.equals(target) && (!isReply || targetMac === senderMac) && !this.#host.isLocal(sender);
    const isNew = isGratuitous && this.#host.settings.greater("arp_accept", card.name) !== 0;
    const state = isReply && frame.isUnicast ? "REACHABLE" : "STALE";
    const known = this.#host.neighbours.find(card, sender);
    if (known === undefined && !isNew && !isReply && !isGratuitous) {
      return this.#host.dropFrame(frame, "arp-not-ours");
    }
    this.#host.neighbours.learn(card, sender, senderMac, { state, overrides: isGratuitous }, isNew);
  }

  /** arp_ignore(), with the value that counts where the question came in. */
  #isIgnored(card: NetworkInterface, sender: Address, target: Address): boolean {
    const { interfaces, settings } = this.#host;
    const asker = sender.isUnspecified ? undefined : sender;
    switch (settings.greater("arp_ignore", card.name)) {
      case 1:
        return !confirmsAddress([card], undefined, target, "host");
      case 2:
        return !confirmsAddress([card], asker, target, "host");
      case 3:
        return !confirmsAddress(interfaces, undefined, target, "link");
      case 8:
        return true;
      default:
        return false;
    }
  }

  /** arp_filter(): the way back must be by the card that the question came in by. */
  #isFiltered(card: NetworkInterface, sender: Address): boolean {
    if (!this.#host.settings.either("arp_filter", card.name)) return false;
    const way = this.#host.inet.wayOut(sender);
    return typeof way === "string" || way.interface !== card;
  }

  #isProxyFor(card: NetworkInterface, out: NetworkInterface): boolean {
    return card !== out && this.#host.settings.either("proxy_arp", card.name);
  }

  #isRoutingLoopback(card: NetworkInterface): boolean {
    return this.#host.settings.either("route_localnet", card.name);
  }

  #reply(card: NetworkInterface, message: ArpMessage, to: MacAddress): undefined {
    this.#host.sendFrame(card, emitFrame(card.mac, to, emitArpReply(message, card.mac)));
  }
}

export function emitFrame(
  source: MacAddress,
  destination: MacAddress,
  arp: Uint8Array,
): Uint8Array {
  return emitEthernet({ source, destination, etherType: ETHERTYPE.arp }, arp);
}
