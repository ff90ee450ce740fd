/** Addresses as ipvsadm's arguments write them. */
import type { Protocol } from "../../ipvs/desired/service.ts";
import { Address } from "../../net/address.ts";
import type { Names } from "./naming.ts";
import { readInteger } from "./numbers.ts";

export interface ReadEndpoint {
  readonly address: Address;
  /** Undefined when the text has none. */
  readonly port: number | undefined;
}

/**
 * `10.0.0.1`, `10.0.0.1:80`, `host`, `host:http`, `[2001:db8::1]:80`, `2001:db8::1`.
 *
 * A bracket needs `]:` and a port; when it holds no IPv6 address, what it holds is read alone and the port is lost.
 * A word of digits alone is refused: it would be a port. Undefined for what is no address. A service name without a
 * protocol is unknown.
 */
export async function readEndpoint(
  text: string,
  protocol: Protocol | undefined,
  names: Names,
): Promise<ReadEndpoint | undefined> {
  if (/^\d+$/.test(text)) return undefined;
  if (!text.startsWith("[")) return readUnbracketed(text, protocol, names);
  const [, inside, portText] = /^\[([^\]]*)\]:(.*)$/s.exec(text) ?? [];
  if (inside === undefined || portText === undefined) return undefined;
  const address = readInet6(inside);
  if (address === undefined) return readUnbracketed(inside, protocol, names);
  const port = readPort(portText, protocol, names);
  return port === undefined ? undefined : { address, port };
}

/** An IPv4 address as inet_aton() reads it, or a host name. */
export async function readHost(text: string, names: Names): Promise<Address | undefined> {
  if (text === "") return undefined;
  const word = inetAton(text);
  return word === undefined ? names.addressOf(text) : Address.inet(word);
}

/**
 * One to four numbers, decimal, octal (`010`) or hexadecimal (`0x0a`); the last fills the bytes that are left:
 * `10.1` is 10.0.0.1. What follows a blank is ignored.
 */
export function inetAton(text: string): number | undefined {
  const [address = ""] = text.split(/[ \t\n\v\f\r]/, 1);
  const parts = address.split(".").map(readCNumber);
  const last = parts.pop();
  if (last === undefined || parts.length > 3 || last >= 256 ** (4 - parts.length)) return undefined;
  let word = last;
  for (const [index, part] of parts.entries()) {
    if (part === undefined || part > 255) return undefined;
    word += part * 256 ** (3 - index);
  }
  return word | 0;
}

async function readUnbracketed(
  text: string,
  protocol: Protocol | undefined,
  names: Names,
): Promise<ReadEndpoint | undefined> {
  const inet6 = readInet6(text);
  if (inet6 !== undefined) return { address: inet6, port: undefined };
  const colon = text.lastIndexOf(":");
  if (colon < 0) {
    const address = await readHost(text, names);
    return address && { address, port: undefined };
  }
  const address = await readHost(text.slice(0, colon), names);
  if (address === undefined) return undefined;
  const port = readPort(text.slice(colon + 1), protocol, names);
  return port === undefined ? undefined : { address, port };
}

function readInet6(text: string): Address | undefined {
  const address = Address.parse(text);
  return address?.family === "inet6" ? address : undefined;
}

function readPort(text: string, protocol: Protocol | undefined, names: Names): number | undefined {
  const port = readInteger(text, 0, 0xffff);
  if (port !== undefined || protocol === undefined) return port;
  return names.portOf(text, protocol);
}

function readCNumber(text: string): number | undefined {
  if (/^0[xX][\da-fA-F]+$/.test(text)) return Number.parseInt(text, 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
}
