/**
 * The program at XDP (bpf/xdp.bpf.c), with the maps of those at tc: at which interfaces it may run, how, and what it has to know
 * of them. docs/decisions/0023-xdp-by-choice.md
 */
import { readFileSync } from "node:fs";
import type { Link } from "../host/links.ts";
import { XdpFeatureReader, type XdpFeatures } from "../host/xdp-features.ts";
import { card } from "./abi.ts";
import { BpfError, BpfObject, deleteElement, lookUpElement, updateElement } from "./libbpf.ts";
import { chooseXdp, type XdpChoice, type XdpMode } from "./xdp-choice.ts";

const OBJECT = new URL("../../../bpf/xdp.bpf.o", import.meta.url);

/** CARD_… in bpf/abi/. */
const CARD = { generic: 1, sends: 2, turns: 4 } as const;
/** CARDS_MAX there. */
const CARDS_MAX = 4096;

export class XdpProgram implements Disposable {
  readonly #object: BpfObject;
  readonly #cards: number;
  readonly #nearCards: number;
  readonly #reader: XdpFeatureReader;
  readonly fd: number;
  #features: ReadonlyMap<number, XdpFeatures> | undefined;

  /** `maps`: of the programs at tc, by name. Throws a BpfError or SystemCallError. */
  constructor(maps: Readonly<Record<string, number>>) {
    using unless = new DisposableStack();
    this.#object = unless.use(new BpfObject(readFileSync(OBJECT), {}, maps));
    mustShare(this.#object, maps);
    this.#reader = new XdpFeatureReader();
    this.#cards = this.#object.map("cards");
    this.#nearCards = this.#object.map("near_cards");
    this.fd = this.#object.program("at_driver");
    unless.move();
  }

  /** Looks at what interfaces can do, for what is asked below. True when that is other than before. */
  look(): boolean {
    const before = this.#features;
    // What was told once stays true while the kernel is too busy to tell.
    this.#features = this.#reader.read() ?? before;
    return !isSame(before, this.#features);
  }

  choose(link: Link, links: ReadonlyMap<number, Link>): XdpChoice {
    return chooseXdp(link, links.values(), this.#features);
  }

  /** To be told before it runs there, and whenever the interface may have changed. */
  describe(link: Pick<Link, "index" | "kind" | "mac">, mode: XdpMode): void {
    const value = new Uint8Array(card.size);
    value.set(key(link.index), card.index);
    value.set(link.mac.subarray(0, 6), card.address);
    value[card.flags] = mode === "generic" ? CARD.generic : this.#nativeFlags(link);
    updateElement(this.#cards, key(link.index), value);
    updateElement(this.#nearCards, nearKey(link.index), value);
  }

  forget(interfaceIndex: number): void {
    deleteElement(this.#cards, key(interfaceIndex));
    const near = new Uint8Array(card.size);
    lookUpElement(this.#nearCards, nearKey(interfaceIndex), near);
    if (new DataView(near.buffer).getUint32(card.index, true) !== interfaceIndex) return;
    updateElement(this.#nearCards, nearKey(interfaceIndex), near.fill(0));
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }

  /** A veth that is to send back by itself does not wake an other end without a program: veth_xdp_flush(). */
  #nativeFlags({ index, kind }: Pick<Link, "index" | "kind">): number {
    const sends = this.#features?.get(index)?.sends === true ? CARD.sends : 0;
    return sends | (kind === "veth" ? 0 : CARD.turns);
  }
}

/** A map that the programs at tc do not have would be another one than theirs. */
function mustShare(object: BpfObject, maps: Readonly<Record<string, number>>): void {
  const own = object.mapNames().filter((name) => !name.includes(".") && !(name in maps));
  if (own.sort().join() === "cards,near_cards") return;
  throw new BpfError(`The program at XDP has maps of its own: ${own.join(", ")}`);
}

function key(interfaceIndex: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(interfaceIndex).buffer);
}

/** Of two interfaces with the same one the one that was described last is found sooner. */
function nearKey(interfaceIndex: number): Uint8Array {
  return key(interfaceIndex % CARDS_MAX);
}

function isSame(
  one: ReadonlyMap<number, XdpFeatures> | undefined,
  other: ReadonlyMap<number, XdpFeatures> | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.size === other.size &&
    [...one].every(([index, { runs, sends }]) => {
      const found = other.get(index);
      return found?.runs === runs && found.sends === sends;
    })
  );
}
