/** Addresses and ports as ldirectord.cf writes them, with names where the system knows those. */
import type { Names } from "../../cli/ipvsadm/naming.ts";
import { Address } from "../../net/address.ts";

export interface Place {
  readonly address: string;
  /** Undefined: none was said. */
  readonly port: number | undefined;
}

type Wrong = { readonly why: string };

/** `192.0.2.1:80`, `[2001:db8::1]:80`, `www.example.com:http`; the port may be missing. */
export async function placeIn(
  text: string,
  protocol: "tcp" | "udp",
  names: Names,
): Promise<Place | Wrong> {
  const [, bracketed, host = "", port] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::([\w-]+))?$/.exec(text) ?? [];
  const name = bracketed ?? host;
  if (name === "")
    return { why: `expected an address such as 192.0.2.1:80, got ${text || "nothing"}` };
  const address = Address.parse(name) ?? (await names.addressOf(name));
  if (address === undefined)
    return { why: `${name} is no address, and no name that is known here` };
  if (port === undefined) return { address: address.toString(), port: undefined };
  const number = /^\d+$/.test(port) ? Number(port) : names.portOf(port, protocol);
  if (number === undefined || number > 0xffff) {
    return { why: `${port} is no port, and no service that is known here` };
  }
  return { address: address.toString(), port: number };
}
