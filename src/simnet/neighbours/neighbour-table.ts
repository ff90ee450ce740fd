/**
 * Who is at which link-layer address: the caches of ARP and of neighbour discovery, and the states of their entries
 * (net/core/neighbour.c). ARP and discovery ask and answer; this decides when to ask and what to believe.
 */
import type { Address } from "../../net/address.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import type { Host } from "../host/host.ts";
import type { NetworkInterface } from "../host/interface.ts";
import type { OutgoingPacket } from "../ip/packets.ts";
import { Neighbour, type NeighbourState } from "./neighbour.ts";

/** The kernel's defaults: net.ipv4.neigh.default. */
const REACHABLE_LEAST_MS = 15_000;
const REACHABLE_RANGE_MS = 30_000;
const DELAY_MS = 5_000;
const RETRANSMIT_MS = 1_000;
const SOLICITATIONS_MAX = 3;
/** An entry is not overwritten by another answer so soon after it was set: of several answers the first is believed. */
const LOCK_MS = 1_000;
const QUEUE_MAX = 101;

/** How much an announcement proves. */
export interface Told {
  readonly state: "REACHABLE" | "STALE";
  /** It is believed against what was known, even at once. */
  readonly overrides: boolean;
}

export class NeighbourTable {
  readonly #host: Host;
  readonly #entries = new Map<string, Neighbour>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** In the order in which they were made. */
  list(): readonly Neighbour[] {
    for (const each of this.#entries.values()) this.#age(each);
    return [...this.#entries.values()];
  }

  find(card: NetworkInterface, address: Address): Neighbour | undefined {
    return this.#entries.get(keyOf(card, address));
  }

  /** Sends the packet to its next hop, or keeps it until that is known. */
  send(card: NetworkInterface, nextHop: Address, packet: OutgoingPacket): undefined {
    const known = this.find(card, nextHop) ?? this.#make(card, nextHop);
    this.#age(known);
    if (known.state === "FAILED") this.#begin(known);
    if (known.state === "STALE") this.#delay(known);
    if (known.state === "INCOMPLETE" || known.mac === undefined) {
      if (known.queue.length >= QUEUE_MAX) {
        this.#host.drop(packet, card, "neighbour-queue-full");
      } else {
        known.queue.push(packet);
      }
      if (known.timer === undefined) this.#solicit(known);
      return;
    }
    this.#host.transmit(card, known.mac, packet);
  }

  /**
   * Somebody says where `address` is. Entries are made where `isNew` allows it (neigh_event_ns()); else only what is
   * there changes (arp_process()).
   */
  learn(
    card: NetworkInterface,
    address: Address,
    mac: MacAddress,
    { state, overrides }: Told,
    isNew = false,
  ): undefined {
    let known = this.find(card, address);
    if (known === undefined) {
      if (!isNew) return;
      known = new Neighbour(address, card);
      this.#entries.set(keyOf(card, address), known);
    }
    if (known.state === "PERMANENT") return;
    this.#age(known);
    const isValid = known.mac !== undefined && known.state !== "FAILED";
    const isSame = known.mac === mac;
    const isLocked = this.#now - known.updatedAtMs <= LOCK_MS;
    if (isValid && !isSame && isLocked && !overrides) return;
    // A question that tells where its asker is proves nothing new about one that is known to be there.
    if (isValid && isSame && state === "STALE" && known.state !== "INCOMPLETE") return;
    known.mac = mac;
    known.updatedAtMs = this.#now;
    if (state === "REACHABLE") this.#reach(known);
    else this.#enter(known, "STALE");
    this.#flush(known);
  }

  /** A higher layer has proof that packets arrive: RFC 4861 section 7.3.1. */
  confirm(card: NetworkInterface, address: Address): undefined {
    const known = this.find(card, address);
    if (known?.mac === undefined || known.state === "PERMANENT" || known.state === "FAILED") return;
    this.#reach(known, true);
  }

  set(card: NetworkInterface, address: Address, mac: MacAddress, state: NeighbourState): undefined {
    const known = this.find(card, address) ?? new Neighbour(address, card);
    this.#entries.set(keyOf(card, address), known);
    known.mac = mac;
    known.updatedAtMs = this.#now;
    if (state === "REACHABLE") known.reachableUntilMs = this.#now + this.#reachableMs();
    this.#enter(known, state);
    this.#flush(known);
  }

  remove(isMeant: (neighbour: Neighbour) => boolean): number {
    let count = 0;
    for (const [key, each] of this.#entries) {
      if (!isMeant(each)) continue;
      each.timer?.cancel();
      each.timer = undefined;
      for (const packet of each.queue.splice(0)) {
        this.#host.drop(packet, each.interface, "neighbour-unreachable");
      }
      this.#entries.delete(key);
      this.#tell(each, "forgotten");
      count++;
    }
    return count;
  }

  forgetInterface(card: NetworkInterface): undefined {
    this.remove((each) => each.interface === card);
  }

  get #now(): number {
    return this.#host.agenda.now();
  }

  #make(card: NetworkInterface, address: Address): Neighbour {
    const made = new Neighbour(address, card);
    this.#entries.set(keyOf(card, address), made);
    this.#tell(made, "INCOMPLETE");
    return made;
  }

  #begin(known: Neighbour): undefined {
    known.mac = undefined;
    known.probes = 0;
    this.#enter(known, "INCOMPLETE");
  }

  /** What time alone does, when somebody looks: REACHABLE wears off. */
  #age(known: Neighbour): undefined {
    if (known.state === "REACHABLE" && this.#now >= known.reachableUntilMs) {
      this.#enter(known, "STALE");
    }
  }

  #delay(known: Neighbour): undefined {
    this.#enter(known, "DELAY");
    known.timer = this.#host.agenda.after(DELAY_MS, () => {
      known.timer = undefined;
      if (known.state !== "DELAY") return;
      this.#enter(known, "PROBE");
      known.probes = 0;
      this.#solicit(known);
    });
  }

  #solicit(known: Neighbour): undefined {
    if (known.probes >= SOLICITATIONS_MAX) {
      this.#fail(known);
      return;
    }
    known.probes++;
    known.timer = this.#host.agenda.after(RETRANSMIT_MS, () => {
      known.timer = undefined;
      if (known.state === "INCOMPLETE" || known.state === "PROBE") this.#solicit(known);
    });
    const { interface: card, address, queue } = known;
    const about = queue[0]?.bytes;
    const asker = address.family === "inet" ? this.#host.arp : this.#host.discovery;
    asker.solicit(card, address, about, known.state === "PROBE" ? known.mac : undefined);
  }

  #fail(known: Neighbour): undefined {
    this.#enter(known, "FAILED");
    known.mac = undefined;
    for (const packet of known.queue.splice(0)) {
      this.#host.drop(packet, known.interface, "neighbour-unreachable");
      this.#host.icmp.tellUnreachable(packet);
    }
  }

  #reach(known: Neighbour, isQuiet = false): undefined {
    known.probes = 0;
    known.reachableUntilMs = this.#now + this.#reachableMs();
    if (known.state === "REACHABLE" && isQuiet) return;
    this.#enter(known, "REACHABLE");
  }

  #reachableMs(): number {
    return REACHABLE_LEAST_MS + this.#host.random.below(REACHABLE_RANGE_MS);
  }

  #enter(known: Neighbour, state: NeighbourState): undefined {
    known.timer?.cancel();
    known.timer = undefined;
    known.state = state;
    this.#tell(known, known.mac === undefined ? state : `${known.mac} ${state}`);
  }

  #flush(known: Neighbour): undefined {
    for (const packet of known.queue.splice(0)) {
      this.#host.transmit(known.interface, known.mac!, packet);
    }
  }

  #tell({ address, interface: card }: Neighbour, change: string): undefined {
    this.#host.tellChange("neighbours", `${address} dev ${card.name} ${change}`);
  }
}

function keyOf(card: NetworkInterface, address: Address): string {
  return `${card.index} ${address}`;
}
