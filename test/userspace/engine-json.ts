/** What engines take and give, as JSON and back: addresses and maps keep what they are. */
import { ServiceMap } from "../../src/ipvs/desired/service-map.ts";
import { Address } from "../../src/net/address.ts";

export function encode(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, each) {
    // Not `each`: by then an address is text.
    const original = this[key];
    if (original instanceof Address) return { $address: original.toString() };
    if (original instanceof Map || original instanceof ServiceMap) return { $map: [...original] };
    return each;
  });
}

export function decode(text: string): unknown {
  return JSON.parse(text, (_key, each) => {
    if (typeof each?.$address === "string") return Address.parse(each.$address);
    if (Array.isArray(each?.$map)) return new Map(each.$map);
    return each;
  });
}
