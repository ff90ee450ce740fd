import type { Branded } from "../base/brand.ts";

/** A transport port in host byte order. */
export type Port = Branded<number, "Port">;

/** In a service, port 0 stands for every port (persistent services only, as in ipvsadm). */
export const ANY_PORT = 0 as Port;

export function toPort(value: number): Port {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new RangeError(`Cannot use ${value} as a port: expected an integer from 0 to 65535`);
  }
  return value as Port;
}

/** FTP's ports (RFC 959, 5.2): its data connections belong to the service of its control connections. */
export const FTP_PORT = 21;
export const FTP_DATA_PORT = 20;
