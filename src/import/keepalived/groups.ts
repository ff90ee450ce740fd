/** virtual_server_group: addresses, ranges of them, and firewall marks that share their servers. */
import { Address } from "../../net/address.ts";
import { addressesBetween, RANGE_MAX } from "../address-range.ts";
import type { VirtualServerKey } from "../model.ts";
import type { Notes } from "../told.ts";
import type { Statement } from "./statements.ts";
import { integerIn } from "./values.ts";

/** A mark's family may be the servers' to say. */
export type GroupEntry =
  | Extract<VirtualServerKey, { kind: "endpoint" }>
  | { readonly kind: "mark"; readonly mark: number; readonly family: "inet" | "inet6" | undefined };

export type Groups = ReadonlyMap<string, readonly GroupEntry[]>;

export function readGroups(statements: readonly Statement[], notes: Notes): Groups {
  const groups = new Map<string, GroupEntry[]>();
  for (const { at, text, words, block } of statements) {
    const [, name] = words;
    if (name === undefined || block === undefined) {
      notes.dropped(at, text, "expected a name and a block after it");
    } else {
      groups.set(
        name,
        block.flatMap((entry) => readEntry(entry, notes)),
      );
    }
  }
  return groups;
}

function readEntry({ at, text, words }: Statement, notes: Notes): GroupEntry[] {
  const read = words[0] === "fwmark" ? markIn(words) : endpointsIn(words);
  if (!("why" in read)) return read;
  notes.dropped(at, text, read.why);
  return [];
}

type Read = GroupEntry[] | { readonly why: string };

function markIn([, number, family]: readonly string[]): Read {
  const mark = integerIn(number, 1, 0xffff_ffff);
  if ("why" in mark) return mark;
  if (family !== undefined && family !== "inet" && family !== "inet6") {
    return { why: `expected inet or inet6, got ${family}` };
  }
  return [{ kind: "mark", mark: mark.value as number, family }];
}

function endpointsIn([range = "", portWord = "0"]: readonly string[]): Read {
  const port = integerIn(portWord, 0, 0xffff);
  if ("why" in port) return { why: `port: ${port.why}` };
  const addresses = addressesIn(range);
  if ("why" in addresses) return addresses;
  return addresses.map((address) => ({ kind: "endpoint", address, port: port.value as number }));
}

const NO_ADDRESS = {
  why: "expected an address, or such as 192.0.2.1-10, 192.0.2.1-192.0.2.10, 192.0.2.0/28",
};

/** `A`, `A-B`, `A/LENGTH`; B is an address, or the last part of one: decimal, for IPv6 hexadecimal. */
function addressesIn(range: string): string[] | { readonly why: string } {
  const single = Address.parse(range);
  if (single !== undefined) return [single.toString()];
  const [, start = "", kind, end = ""] = /^([^-/]+)([-/])(.+)$/.exec(range) ?? [];
  const first = Address.parse(start);
  if (first === undefined) return NO_ADDRESS;
  if (kind === "/") return prefixed(first, end);
  const last = Address.parse(end) ?? Address.parse(start.replace(/[^.:]*$/, end));
  return last === undefined ? NO_ADDRESS : addressesBetween(first, last);
}

function prefixed(first: Address, lengthWord: string): string[] | { readonly why: string } {
  const bits = first.family === "inet" ? 32 : 128;
  const length = integerIn(lengthWord, 0, bits);
  if ("why" in length) return length;
  const spare = bits - (length.value as number);
  if (2 ** spare > RANGE_MAX) return { why: `expected up to ${RANGE_MAX} addresses` };
  const base = first.masked(bits - spare);
  const bytes = base.bytes().slice();
  for (let bit = 0; bit < spare; bit++) bytes[bytes.length - 1 - (bit >> 3)]! |= 1 << (bit & 7);
  return addressesBetween(base, Address.fromBytes(bytes, 0, base.family));
}
