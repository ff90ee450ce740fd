/**
 * The hosts of the laboratory in which the host's settings matter, by short names: one text is about both families.
 *
 *     clients                     director                     real servers
 *     C C2 --- X --- wan -- E    V V2 (VIPs)    D -- lan --- R1 R2 R3 (R9 is not there)
 *          N (on the link) --+    B (another)          +---- Y --- S1, F (far, behind a router)
 *     C3 ---- X2 --- up --- U
 *     T7 ------------ tun0 - T  (no Ethernet)
 */
import { Address, type Family } from "../../../src/net/address.ts";
import { type MacAddress, parseMac } from "../../../src/net/mac-address.ts";

// biome-ignore format: a table
const ADDRESSES: Readonly<Record<string, readonly [inet: string, inet6: string]>> = {
  C:  ["10.9.0.1",        "fd09::1"],
  C2: ["10.9.0.2",        "fd09::2"],
  C3: ["10.5.0.3",        "fd05::3"],
  X:  ["10.8.0.254",      "fd08::fe"],
  N:  ["10.8.0.7",        "fd08::7"],
  N9: ["10.8.0.9",        "fd08::9"],
  E:  ["10.8.0.1",        "fd08::1"],
  V:  ["10.1.0.1",        "fd01::1"],
  V2: ["10.1.0.2",        "fd01::2"],
  B:  ["10.1.0.77",       "fd01::77"],
  D:  ["192.168.150.11",  "fd15::11"],
  R1: ["192.168.150.21",  "fd15::21"],
  R2: ["192.168.150.22",  "fd15::22"],
  R3: ["192.168.150.23",  "fd15::23"],
  R9: ["192.168.150.29",  "fd15::29"],
  Y:  ["192.168.150.254", "fd15::fe"],
  Y2: ["192.168.150.253", "fd15::fd"],
  S1: ["172.16.0.21",     "fd16::21"],
  F:  ["172.20.0.1",      "fd20::1"],
  U:  ["10.7.0.1",        "fd07::1"],
  X2: ["10.7.0.254",      "fd07::fe"],
  T:  ["10.6.0.1",        "fd06::1"],
  T7: ["10.6.0.7",        "fd06::7"],
};

/** Who answers to a hardware address on which wire, and for which names. */
export interface Station {
  readonly name: string;
  readonly wire: string;
  readonly mac: MacAddress;
}

// biome-ignore format: a table
export const STATIONS: readonly Station[] = [
  station("X",  "wan", "02:00:00:00:01:fe"),
  station("N",  "wan", "02:00:00:00:01:07"),
  station("R1", "lan", "02:00:00:00:02:21"),
  station("R2", "lan", "02:00:00:00:02:22"),
  station("R3", "lan", "02:00:00:00:02:23"),
  station("Y",  "lan", "02:00:00:00:02:fe"),
  station("Y2", "lan", "02:00:00:00:02:fd"),
  station("X2", "up",  "02:00:00:00:03:fe"),
];

/** The director's own interfaces. */
export const INTERFACES: Readonly<Record<string, MacAddress>> = {
  wan: mac("02:00:00:00:01:01"),
  lan: mac("02:00:00:00:02:01"),
  up: mac("02:00:00:00:03:01"),
};

/** Names to addresses and back, in one family; `R1.6` is R1 in the other one. An address without a name is its text. */
export class HostNames {
  readonly family: Family;

  constructor(family: Family) {
    this.family = family;
  }

  address(name: string): Address {
    const [, plain = name, other] = /^(\w+)\.([46])$/.exec(name) ?? [];
    const isInet6 = other === undefined ? this.family === "inet6" : other === "6";
    const address = Address.parse(ADDRESSES[plain]?.[isInet6 ? 1 : 0] ?? name);
    if (address === undefined)
      throw new RangeError(`The laboratory has no ${JSON.stringify(name)}`);
    return address;
  }

  name(of: Address): string {
    const text = of.toString();
    const [name] = Object.entries(ADDRESSES).find((row) => row[1].includes(text)) ?? [text];
    if (name === text || of.family === this.family) return name;
    return `${name}.${of.family === "inet" ? 4 : 6}`;
  }

  /** Every name as a shell variable: $R1, and $R1_4 and $R1_6 whatever the family. */
  variables(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(ADDRESSES).flatMap(([name, [inet, inet6]]) => [
        [name, this.family === "inet" ? inet : inet6],
        [`${name}_4`, inet],
        [`${name}_6`, inet6],
      ]),
    );
  }

  /** The addresses in a text, by their names. */
  named(text: string): string {
    return text.replace(
      /\[?([0-9a-f]+(?:[.:][0-9a-f:.]*)+[0-9a-f])\]?(?=[:\s,]|$)/g,
      (all, found: string) => {
        const [address, port] = portApart(all, found);
        const parsed = Address.parse(address);
        const name = parsed === undefined ? address : this.name(parsed);
        return name === address ? all : `${name}${port}`;
      },
    );
  }
}

/** `10.1.0.1:80` is an address and a port, `fd01::1` is not. */
function portApart(all: string, found: string): [address: string, port: string] {
  const [, address, port] = /^(\d+\.\d+\.\d+\.\d+)(:\d+)$/.exec(found) ?? [];
  return address === undefined || all.startsWith("[") ? [found, ""] : [address, port!];
}

/** Who sends from a hardware address; its text when nobody is known by it. */
export function stationNamed(of: string): string {
  return STATIONS.find(({ mac: own }) => own === of)?.name ?? of;
}

function station(name: string, wire: string, text: string): Station {
  return { name, wire, mac: mac(text) };
}

function mac(text: string): MacAddress {
  return parseMac(text)!;
}
