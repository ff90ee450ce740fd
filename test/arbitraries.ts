/** Values of the network for property tests. */
import fc from "fast-check";
import { Address, type AddressPair, type Family } from "../src/net/address.ts";
import { toPort } from "../src/net/port.ts";

export const uint8 = fc.nat({ max: 0xff });
export const uint16 = fc.nat({ max: 0xffff });
export const uint32 = fc.nat({ max: 0xffff_ffff });
export const port = uint16.map(toPort);

/** Zero words are frequent: they are what "::" is about. */
const word = fc.oneof(uint32, fc.constantFrom(0, 1, 0xffff, 0xffff_ffff));

export const inetAddress = word.map((w3) => Address.inet(w3));
export const inet6Address = fc
  .tuple(word, word, word, word)
  .map((words) => Address.inet6(...words));
export const address = fc.oneof(inetAddress, inet6Address);

export function addressPair(family: Family): fc.Arbitrary<AddressPair> {
  const one = family === "inet" ? inetAddress : inet6Address;
  return fc.record({ source: one, destination: one });
}

export function payload(maxLength = 200): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ maxLength });
}

/** Header options: whole words, ten at most. */
export const headerOptions = fc
  .nat({ max: 10 })
  .chain((words) => fc.uint8Array({ minLength: 4 * words, maxLength: 4 * words }));
