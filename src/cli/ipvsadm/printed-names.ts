/** Addresses and ports as listings and `-S` print them: numbers with `-n`, names where there are any without. */
import type { WireEndpoint, WireServiceKey } from "../../control/wire.ts";
import type { Protocol } from "../../ipvs/desired/service.ts";
import { Address } from "../../net/address.ts";
import type { Names } from "./naming.ts";

export type PrintEndpoint = (
  endpoint: WireEndpoint,
  protocol: Protocol | undefined,
) => Promise<string>;

/** `10.0.0.1:80`, `[2001:db8::1]:80`; with names `localhost:http`, `[localhost]:http`. */
export function endpointPrinter(names: Names, isNumeric: boolean): PrintEndpoint {
  return async ({ address, port }, protocol) => {
    const isInet6 = address.includes(":");
    const host = isNumeric ? address : ((await names.hostOf(Address.parse(address)!)) ?? address);
    const service =
      isNumeric || protocol === undefined ? undefined : names.serviceOf(port, protocol);
    return `${isInet6 ? `[${host}]` : host}:${service ?? port}`;
  };
}

/** A mark is printed as a signed number, which is wrong above 2^31 - 1 and what ipvsadm does. */
export function signedMark(mark: number): number {
  return mark | 0;
}

export function protocolOf(key: WireServiceKey): Protocol | undefined {
  return key.kind === "endpoint" ? key.protocol : undefined;
}
