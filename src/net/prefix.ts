import { ADDRESS_LENGTH, Address } from "./address.ts";

/** An address with the length of its network part in bits: `10.0.0.0/8`. Host bits may be set, as on an interface. */
export interface Prefix {
  readonly address: Address;
  readonly length: number;
}

const LENGTH = /^(?:0|[1-9]\d{0,2})$/;

/** `ADDRESS/LENGTH`; an address alone is a prefix of all its bits. Undefined for anything else. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  const address = Address.parse(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = ADDRESS_LENGTH[address.family] * 8;
  if (slash < 0) return { address, length: bits };
  const digits = text.slice(slash + 1);
  if (!LENGTH.test(digits) || Number(digits) > bits) return undefined;
  return { address, length: Number(digits) };
}

export function formatPrefix({ address, length }: Prefix): string {
  return `${address.toString()}/${length}`;
}

/** True when `address` is of the prefix's family and shares its network part. */
export function prefixContains(prefix: Prefix, address: Address): boolean {
  return (
    prefix.address.family === address.family &&
    prefix.address.masked(prefix.length).equals(address.masked(prefix.length))
  );
}
