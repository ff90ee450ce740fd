/**
 * The program at XDP (bpf/xdp.bpf.c), with the maps of those at tc: at which interfaces it may run, how, and what it has to know
 * of them. docs/decisions/0023-xdp-by-choice.md
 */
import { readFileSync } from "node:fs";
import type { Link } from "../host/links.ts";
import { XdpFeatureReader, type XdpFeatures } from "../host/xdp-features.ts";
import { card } from "./abi.ts";
import { BpfObject, deleteElement, updateElement } from "./libbpf.ts";

const OBJECT = new URL("../../../bpf/xdp.bpf.o", import.meta.url);

/** In the driver, or before any protocol, on a socket buffer. */
export type XdpMode = "native" | "generic";

/** How it may run at an interface, best first, and why not better. */
export interface XdpChoice {
  readonly modes: readonly XdpMode[];
  readonly why: string | undefined;
}

/** CARD_… in bpf/abi.h. */
const CARD = { generic: 1, sends: 2, turns: 4 } as const;

const BOTH: XdpChoice = { modes: ["native", "generic"], why: undefined };
const only = (mode: XdpMode, why: string): XdpChoice => ({ modes: [mode], why });

const VLANS = "interfaces of VLANs lie over it, whose tags its card may take out of frames";
const OTHER_END =
  "the other end of this veth takes no frames of drivers': it has neither an XDP program nor GRO (ethtool -K DEV gro on)";
const BY_PORTS = "its frames come by its ports";
const NO_DRIVER = "its driver runs none";
const UNTOLD = "the kernel does not tell what it can do (Linux 6.3)";

export class XdpProgram implements Disposable {
  readonly #object: BpfObject;
  readonly #cards: number;
  readonly #reader = new XdpFeatureReader();
  readonly fd: number;
  #features: ReadonlyMap<number, XdpFeatures> | undefined;

  /** `maps`: of the programs at tc, by name. Throws a BpfError. */
  constructor(maps: Readonly<Record<string, number>>) {
    this.#object = new BpfObject(readFileSync(OBJECT), {}, maps);
    this.#cards = this.#object.map("cards");
    this.fd = this.#object.program("at_driver");
  }

  /** Looks at what interfaces can do, for what is asked below. True when that is other than before. */
  look(): boolean {
    const before = this.#features;
    this.#features = this.#reader.read();
    return !isSame(before, this.#features);
  }

  choose({ index, kind }: Link, links: ReadonlyMap<number, Link>): XdpChoice {
    for (const other of links.values()) {
      if (other.kind === "vlan" && other.lower === index) return { modes: [], why: VLANS };
    }
    if (kind === "bond" || kind === "team") return only("generic", BY_PORTS);
    if (this.#features === undefined) return kind === undefined ? BOTH : only("generic", UNTOLD);
    const { runs, sends } = this.#features.get(index) ?? { runs: false, sends: false };
    if (!runs) return only("generic", NO_DRIVER);
    return kind === "veth" && !sends ? only("generic", OTHER_END) : BOTH;
  }

  /** To be told before it runs there, and whenever the interface may have changed. */
  describe(link: Pick<Link, "index" | "kind" | "mac">, mode: XdpMode): void {
    const value = new Uint8Array(card.size);
    value.set(link.mac.subarray(0, 6), card.address);
    value[card.flags] = mode === "generic" ? CARD.generic : this.#nativeFlags(link);
    updateElement(this.#cards, key(link.index), value);
  }

  forget(interfaceIndex: number): void {
    deleteElement(this.#cards, key(interfaceIndex));
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

function key(interfaceIndex: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(interfaceIndex).buffer);
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
