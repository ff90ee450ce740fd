import type { Host, Route } from "../../src/ipvs/host.ts";
import type { Address, Family } from "../../src/net/address.ts";
import type { Names } from "./names.ts";

/** The clients' side and the servers' side of the director. */
export const INTERFACE = { outside: 1, inside: 2 } as const;

/** A host that forwards between two links, as names.ts draws it; a test may change what it says. */
export class TestHost implements Host {
  generation = 1;
  #forwards = true;
  #availablePages = 100_000;
  readonly #names: Names;
  readonly #local: Set<string>;
  readonly #unreachable = new Set<string>();
  readonly #mtus = new Map<string, number>();
  /** Routing rules: the next hop by the source address or the mark. */
  readonly #vias = new Map<string, Address | "unreachable">();
  #tells = true;

  constructor(names: Names) {
    this.#names = names;
    this.#local = new Set(["E", "V", "V2", "D"].map((name) => names.address(name).toString()));
  }

  /**
   * `own R1`, `disown V`, `lose R1`, `find R1`, `mtu R1 1400`, `forwarding off`, `pages 100`, `telling off` (no ICMP
   * error more); `via V X`, `via V nowhere`, `via mark-7 X`: where packets with that source or mark leave.
   */
  change(text: string): void {
    const [verb, name, value] = text.split(/\s+/) as [string, string, string?];
    const isAddress = ["own", "disown", "lose", "find", "mtu"].includes(verb);
    const address = isAddress ? this.#names.address(name).toString() : name;
    if (verb === "own") this.#local.add(address);
    else if (verb === "disown") this.#local.delete(address);
    else if (verb === "lose") this.#unreachable.add(address);
    else if (verb === "find") this.#unreachable.delete(address);
    else if (verb === "mtu") this.#mtus.set(address, Number(value));
    else if (verb === "forwarding") this.#forwards = name === "on";
    else if (verb === "pages") this.#availablePages = Number(name);
    else if (verb === "telling") this.#tells = name === "on";
    else if (verb === "via") this.#vias.set(this.#ruleKey(name), this.#nextHop(value!));
    else throw new RangeError(`Cannot change the host: "${text}"`);
    this.generation++;
  }

  isLocal(address: Address): boolean {
    return this.#local.has(address.toString()) || address.isLoopback;
  }

  isForwarding(_family: Family): boolean {
    return this.#forwards;
  }

  availablePages(): number {
    return this.#availablePages;
  }

  /** As with `ip rule`: the table of the host's own addresses comes first. */
  routeFrom(source: Address, destination: Address, mark: number): Route | "local" | "unreachable" {
    const nextHop = this.#vias.get(`mark-${mark}`) ?? this.#vias.get(source.toString());
    if (nextHop === undefined || this.isLocal(destination)) return this.route(destination);
    if (nextHop === "unreachable") return nextHop;
    const route = this.route(nextHop);
    return typeof route === "string" ? "unreachable" : { ...route, nextHop };
  }

  mayTell(): boolean {
    return this.#tells;
  }

  #ruleKey(text: string): string {
    return text.startsWith("mark-") ? text : this.#names.address(text).toString();
  }

  #nextHop(text: string): Address | "unreachable" {
    return text === "nowhere" ? "unreachable" : this.#names.address(text);
  }

  route(destination: Address): Route | "local" | "unreachable" {
    const text = destination.toString();
    if (this.isLocal(destination)) return "local";
    const isInside = /^(10\.1\.|fd01:)/.test(text);
    const isOutside = /^(10\.9\.|fd09:)/.test(text);
    if (this.#unreachable.has(text) || !(isInside || isOutside)) return "unreachable";
    const isInet = destination.family === "inet";
    return {
      interfaceIndex: isInside ? INTERFACE.inside : INTERFACE.outside,
      nextHop: destination,
      source: this.#names.address(`${isInside ? "D" : "E"}.${isInet ? 4 : 6}`),
      mtu: this.#mtus.get(text) ?? 1500,
    };
  }
}
