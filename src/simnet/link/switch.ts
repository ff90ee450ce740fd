/**
 * A switch that learns, and the cables to it: a frame for a card that was heard goes to its port alone, all else to all
 * ports but the one that it came in by (IEEE 802.1D section 7.8).
 */
import type { Prng } from "../../base/prng.ts";
import { EthernetView } from "../../net/ethernet.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import type { Journal } from "../journal.ts";
import type { Agenda } from "../time/agenda.ts";

/** What a cable is plugged into, at a host's end. */
export interface Card {
  receive(frame: Uint8Array, number: number): void;
}

/** A host's end of a cable. */
export interface Cable {
  send(frame: Uint8Array, number: number): void;
}

/** How long a card's port is remembered: the bridge's ageing time, 300 s. */
const AGEING_MS = 300_000;
/** One way through a cable; by chance, so that which of two answers is first is the seed's to say. */
const DELAY_LEAST_MS = 0.02;
const DELAY_RANGE_US = 30;

interface Port {
  readonly name: string;
  readonly card: Card;
  /** When the last frame that is under way arrives, to the card and from it: frames do not overtake each other. */
  outAt: number;
  inAt: number;
}

export interface LearntPort {
  readonly mac: MacAddress;
  readonly port: string;
}

export class Switch {
  readonly name: string;
  readonly #agenda: Agenda;
  readonly #random: Prng;
  readonly #journal: Journal;
  readonly #ports: Port[] = [];
  readonly #learnt = new Map<MacAddress, { port: Port; seenAt: number }>();
  #underWay = 0;

  constructor(name: string, agenda: Agenda, random: Prng, journal: Journal) {
    this.name = name;
    this.#agenda = agenda;
    this.#random = random;
    this.#journal = journal;
  }

  /** Frames in cables. */
  get underWay(): number {
    return this.#underWay;
  }

  plug(name: string, card: Card): Cable {
    const port: Port = { name, card, outAt: 0, inAt: 0 };
    this.#ports.push(port);
    return {
      send: (frame, number) => {
        port.inAt = this.#arrival(port.inAt);
        this.#carry(port.inAt, () => this.#switch(port, frame, number));
      },
    };
  }

  /** Which card is behind which port, as far as frames have told. */
  learnt(): readonly LearntPort[] {
    const now = this.#agenda.now();
    return [...this.#learnt]
      .filter(([, { seenAt }]) => now - seenAt < AGEING_MS)
      .map(([mac, { port }]) => ({ mac, port: port.name }));
  }

  #switch(from: Port, frame: Uint8Array, number: number): undefined {
    const ethernet = EthernetView.over(frame);
    if (typeof ethernet === "string") return;
    const now = this.#agenda.now();
    this.#learn(ethernet.source, from, now);
    const known = ethernet.isMulticast ? undefined : this.#learnt.get(ethernet.destination);
    if (known !== undefined && now - known.seenAt < AGEING_MS) {
      if (known.port === from) this.#drop(from, frame, number);
      else this.#deliver(known.port, frame, number);
      return;
    }
    for (const port of this.#ports) if (port !== from) this.#deliver(port, frame, number);
  }

  #learn(mac: MacAddress, port: Port, seenAt: number): undefined {
    const before = this.#learnt.get(mac);
    this.#learnt.set(mac, { port, seenAt });
    if (before?.port === port) return;
    const change = `${mac} is behind ${port.name}`;
    this.#journal.tell({ kind: "table-changed", host: this.name, table: "switch", change });
  }

  #deliver(port: Port, frame: Uint8Array, number: number): undefined {
    port.outAt = this.#arrival(port.outAt);
    // Every receiver has bytes of its own: hosts rewrite packets where they lie.
    this.#carry(port.outAt, () => port.card.receive(frame.slice(), number));
  }

  #drop(port: Port, bytes: Uint8Array, frame: number): undefined {
    const { name: host } = this;
    const told = { host, interface: port.name, frame, form: "frame", bytes } as const;
    this.#journal.tell({ kind: "dropped", ...told, reason: "same-port" });
  }

  #arrival(after: number): number {
    const delay = DELAY_LEAST_MS + this.#random.below(DELAY_RANGE_US) / 1_000;
    return Math.max(after, this.#agenda.now() + delay);
  }

  #carry(timeMs: number, arrive: () => void): undefined {
    this.#underWay++;
    this.#agenda.after(timeMs - this.#agenda.now(), () => {
      this.#underWay--;
      arrive();
    });
  }
}
