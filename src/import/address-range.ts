/** Ranges of addresses, as other balancers write them. */
import { Address } from "../net/address.ts";

/** More would be a mistake: each address becomes a service, or a destination, of its own. */
export const RANGE_MAX = 4_096;

/** From the first to the last, both included; or why not. */
export function addressesBetween(first: Address, last: Address): string[] | { why: string } {
  if (first.family !== last.family) return { why: "the two addresses are of different families" };
  const [from, to] = [numberOf(first), numberOf(last)];
  if (to < from) return { why: `${last} is before ${first}` };
  if (to - from >= BigInt(RANGE_MAX)) {
    return { why: `expected up to ${RANGE_MAX} addresses, got ${to - from + 1n}` };
  }
  return Array.from({ length: Number(to - from) + 1 }, (_, index) =>
    addressOf(from + BigInt(index), first).toString(),
  );
}

function numberOf(address: Address): bigint {
  return address.bytes().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function addressOf(value: bigint, like: Address): Address {
  const bytes = like.bytes().slice();
  let left = value;
  for (let index = bytes.length - 1; index >= 0; index--) {
    bytes[index] = Number(left & 0xffn);
    left >>= 8n;
  }
  return Address.fromBytes(bytes, 0, like.family);
}
