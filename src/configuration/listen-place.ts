/** Where the daemon listens on TCP: `127.0.0.1:9469`, `[::1]:9469`, or a port alone, which is the loopback address's. */
import { Address } from "../net/address.ts";

export interface ListenPlace {
  readonly address: string;
  readonly port: number;
}

export const A_LISTEN_PLACE = "a port, or an address and a port: 9469, 10.0.0.1:9469, [::1]:9469";

const LOOPBACK = "127.0.0.1";

export function parseListenPlace(text: string): ListenPlace | undefined {
  const [, bracketed, bare, digits] = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 0xffff)) return undefined;
  if (bracketed === undefined && bare === undefined) return { address: LOOPBACK, port };
  const address = Address.parse(bracketed ?? bare ?? "");
  if (address === undefined) return undefined;
  if ((address.family === "inet6") !== (bracketed !== undefined)) return undefined;
  return { address: address.toString(), port };
}

export function formatListenPlace({ address, port }: ListenPlace): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
