/** Services and destinations as events call them. */
import type { VirtualServer, VirtualServerKey } from "./model.ts";

export function serviceIdOf(key: VirtualServerKey, protocol: VirtualServer["protocol"]): string {
  if (key.kind === "mark") return `${key.family === "inet6" ? "fwmark6" : "fwmark"}:${key.mark}`;
  return `${protocol}:${endpointId(key.address, key.port)}`;
}

export function endpointId(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
