/** Values by prefix, found by the longest that contains an address. Lookups allocate nothing. */
import type { Address } from "../../../net/address.ts";
import type { Prefix } from "../../../net/prefix.ts";

interface Entry<Value> {
  readonly address: Address;
  value: Value;
}

/** The prefixes of one length: a chain for each hash of their network parts. */
interface Layer<Value> {
  readonly length: number;
  readonly chains: Map<number, Entry<Value>[]>;
}

export class PrefixTable<Value> {
  /** Longest first. */
  readonly #layers: Layer<Value>[] = [];

  /** The value of exactly this prefix. */
  get({ address, length }: Prefix): Value | undefined {
    const layer = this.#layers.find((candidate) => candidate.length === length);
    return layer && entryIn(layer, address)?.value;
  }

  set({ address, length }: Prefix, value: Value): void {
    const layer = this.#layer(length);
    const entry = entryIn(layer, address);
    if (entry !== undefined) {
      entry.value = value;
      return;
    }
    const network = address.masked(length);
    const hash = hashMasked(network, length);
    const chain = layer.chains.get(hash);
    if (chain === undefined) layer.chains.set(hash, [{ address: network, value }]);
    else chain.push({ address: network, value });
  }

  /** The value of the longest prefix that contains `address`. All addresses must be of one family. */
  find(address: Address): Value | undefined {
    for (const layer of this.#layers) {
      const entry = entryIn(layer, address);
      if (entry !== undefined) return entry.value;
    }
    return undefined;
  }

  #layer(length: number): Layer<Value> {
    const place = this.#layers.findIndex((layer) => layer.length <= length);
    const found = this.#layers[place];
    if (found?.length === length) return found;
    const layer = { length, chains: new Map<number, Entry<Value>[]>() };
    this.#layers.splice(place < 0 ? this.#layers.length : place, 0, layer);
    return layer;
  }
}

function entryIn<Value>(layer: Layer<Value>, address: Address): Entry<Value> | undefined {
  const chain = layer.chains.get(hashMasked(address, layer.length));
  if (chain === undefined) return undefined;
  for (const entry of chain) if (isIn(entry.address, address, layer.length)) return entry;
  return undefined;
}

function isIn(network: Address, address: Address, length: number): boolean {
  if (address.family === "inet") return ((network.w3 ^ address.w3) & mask(length)) === 0;
  return (
    ((network.w0 ^ address.w0) & mask(length)) === 0 &&
    ((network.w1 ^ address.w1) & mask(length - 32)) === 0 &&
    ((network.w2 ^ address.w2) & mask(length - 64)) === 0 &&
    ((network.w3 ^ address.w3) & mask(length - 96)) === 0
  );
}

function hashMasked(address: Address, length: number): number {
  if (address.family === "inet") return address.w3 & mask(length);
  let hash = address.w0 & mask(length);
  hash = Math.imul(hash, 0x9e3779b1) ^ (address.w1 & mask(length - 32));
  hash = Math.imul(hash, 0x9e3779b1) ^ (address.w2 & mask(length - 64));
  return Math.imul(hash, 0x9e3779b1) ^ (address.w3 & mask(length - 96));
}

/** A word whose first `length` bits are set; below 0 is none, above 32 is all. */
function mask(length: number): number {
  if (length <= 0) return 0;
  return length >= 32 ? -1 : ~(-1 >>> length);
}
