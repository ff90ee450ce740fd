/**
 * Short names of the addresses that packet rows are about, so that one row tells of both families.
 *
 *     clients, outside        director              real servers
 *     C C2 C3 (X a router) -- E   V V2   D -------- R1 R2 R3
 *         10.9.0.0/16                                10.1.0.0/16
 */
import type { Address, Family } from "../../src/net/address.ts";
import { address } from "../builders.ts";

// biome-ignore format: a table
const NAMES: Readonly<Record<string, readonly [inet: string, inet6: string]>> = {
  C:  ["10.9.0.2",   "fd09::2"],
  C2: ["10.9.0.3",   "fd09::3"],
  C3: ["10.9.1.2",   "fd09:0:0:1::2"],
  X:  ["10.9.0.254", "fd09::254"],
  E:  ["10.9.0.1",   "fd09::1"],
  V:  ["10.9.0.100", "fd09::100"],
  V2: ["10.9.0.101", "fd09::101"],
  D:  ["10.1.0.1",   "fd01::1"],
  R1: ["10.1.0.21",  "fd01::21"],
  R2: ["10.1.0.22",  "fd01::22"],
  R3: ["10.1.0.23",  "fd01::23"],
  Y:  ["10.1.0.254", "fd01::254"],
  M:  ["224.0.0.5",  "ff02::5"],
  Q:  ["192.0.2.1",  "2001:db8::1"],
};

/** Addresses by name and back, in one family; an address without a name is its text, `R1.6` is R1 in the other one. */
export class Names {
  readonly family: Family;
  readonly #known = new Map<string, Address>();

  constructor(family: Family) {
    this.family = family;
  }

  address(name: string): Address {
    const known = this.#known.get(name) ?? this.#read(name);
    this.#known.set(name, known);
    return known;
  }

  #read(name: string): Address {
    const match = /^(\w+)\.(4|6)$/.exec(name);
    if (match !== null) return address(NAMES[match[1]!]![match[2] === "4" ? 0 : 1]);
    return address(NAMES[name]?.[this.family === "inet" ? 0 : 1] ?? name);
  }

  name(of: Address): string {
    const text = of.toString();
    const named = Object.entries(NAMES).find((row) => row[1].includes(text));
    if (named === undefined) return text;
    if (of.family === this.family) return named[0];
    return `${named[0]}.${of.family === "inet" ? 4 : 6}`;
  }
}
