/** Values by interface and address. Lookups allocate nothing. */
import type { Address } from "../../net/address.ts";

interface Entry<Value> {
  readonly interfaceIndex: number;
  readonly address: Address;
  value: Value;
}

export class AddressMap<Value> {
  readonly #chains = new Map<number, Entry<Value>[]>();

  get(interfaceIndex: number, address: Address): Value | undefined {
    return this.#entry(interfaceIndex, address)?.value;
  }

  set(interfaceIndex: number, address: Address, value: Value): void {
    const entry = this.#entry(interfaceIndex, address);
    if (entry !== undefined) {
      entry.value = value;
      return;
    }
    const key = keyOf(interfaceIndex, address);
    const chain = this.#chains.get(key);
    if (chain === undefined) this.#chains.set(key, [{ interfaceIndex, address, value }]);
    else chain.push({ interfaceIndex, address, value });
  }

  delete(interfaceIndex: number, address: Address): void {
    const key = keyOf(interfaceIndex, address);
    const chain = this.#chains.get(key);
    const index = chain?.findIndex((entry) => isOf(entry, interfaceIndex, address)) ?? -1;
    if (chain === undefined || index < 0) return;
    chain.splice(index, 1);
    if (chain.length === 0) this.#chains.delete(key);
  }

  /** As they are now: entries may be deleted while one goes through them. */
  values(): Value[] {
    return [...this.#chains.values()].flat().map(({ value }) => value);
  }

  #entry(interfaceIndex: number, address: Address): Entry<Value> | undefined {
    const chain = this.#chains.get(keyOf(interfaceIndex, address));
    if (chain === undefined) return undefined;
    for (const entry of chain) if (isOf(entry, interfaceIndex, address)) return entry;
    return undefined;
  }
}

function keyOf(interfaceIndex: number, address: Address): number {
  return address.hash ^ Math.imul(interfaceIndex, 0x9e3779b1);
}

function isOf(entry: Entry<unknown>, interfaceIndex: number, address: Address): boolean {
  return entry.interfaceIndex === interfaceIndex && entry.address.equals(address);
}
