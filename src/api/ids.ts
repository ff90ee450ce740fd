/** How services and destinations are called in the API's paths, and in what commands print. */
import type { WireEndpoint, WireServiceKey } from "../control/wire.ts";
import type { Endpoint, Mark, Protocol, ServiceKey } from "../ipvs/desired/service.ts";
import { Address } from "../net/address.ts";
import type { Port } from "../net/port.ts";

/** `tcp:10.0.0.1:80`, `udp:[2001:db8::1]:53`, `fwmark:7`, `fwmark6:7`. */
export function formatServiceId(key: WireServiceKey): string {
  if (key.kind === "mark") return `${key.family === "inet6" ? "fwmark6" : "fwmark"}:${key.mark}`;
  return `${key.protocol}:${formatEndpointId(key.endpoint)}`;
}

export function formatEndpointId({ address, port }: WireEndpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function parseServiceId(id: string): ServiceKey | undefined {
  const [, kind = "", rest = ""] = /^([a-z0-9]+):(.+)$/.exec(id) ?? [];
  switch (kind) {
    case "tcp":
    case "udp":
    case "sctp":
      return endpointKey(kind, rest);
    case "fwmark":
      return markKey("inet", rest);
    case "fwmark6":
      return markKey("inet6", rest);
    default:
      return undefined;
  }
}

export function parseEndpointId(id: string): Endpoint | undefined {
  const [, bracketed, bare, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(id) ?? [];
  const address = Address.parse(bracketed ?? bare ?? "");
  const port = Number(digits);
  if (address === undefined || port > 0xffff) return undefined;
  if ((address.family === "inet6") !== (bracketed !== undefined)) return undefined;
  return { address, port: port as Port };
}

function endpointKey(protocol: Protocol, id: string): ServiceKey | undefined {
  const endpoint = parseEndpointId(id);
  return endpoint && { kind: "endpoint", protocol, endpoint };
}

function markKey(family: "inet" | "inet6", digits: string): ServiceKey | undefined {
  const mark = Number(digits);
  if (!/^[1-9]\d{0,9}$/.test(digits) || mark > 0xffff_ffff) return undefined;
  return { kind: "mark", family, mark: mark as Mark };
}
