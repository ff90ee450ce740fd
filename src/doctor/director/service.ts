/** A service as a doctor looks at it, be it Sluice's or of the kernel's IPVS. */
import type { StatusFinding } from "../../api/messages.ts";
import type { WireConnection, WireForwarding, WireServiceStatus } from "../../control/wire.ts";
import type { Timeouts } from "../../ipvs/desired/service.ts";
import { Address } from "../../net/address.ts";

export interface ExaminedService {
  /** As listings have it: `TCP 192.168.150.100:80`, `FWM 1`. */
  readonly name: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Undefined for a firewall mark's. */
  readonly vip: Address | undefined;
  /** 0: every port. */
  readonly port: number;
  readonly mark: number | undefined;
  readonly persistenceSeconds: number | undefined;
  readonly servers: readonly ExaminedServer[];
}

export interface ExaminedServer {
  readonly address: Address;
  readonly port: number;
  readonly forwarding: WireForwarding;
  readonly weight: number;
}

/** What a director knows of itself. */
export interface DirectorTold {
  readonly services: readonly ExaminedService[];
  /** Seconds; undefined where nobody tells. */
  readonly timeouts: Timeouts | undefined;
  /** What `sluice status` has. */
  readonly findings: readonly StatusFinding[];
  readonly connections: readonly WireConnection[];
}

export function examinedService(wire: WireServiceStatus): ExaminedService {
  const { key, persistence, destinations } = wire;
  const servers = destinations.map(
    ({ endpoint, forwarding, weight }): ExaminedServer => ({
      address: Address.parse(endpoint.address)!,
      port: endpoint.port,
      forwarding,
      weight,
    }),
  );
  const persistenceSeconds = persistence?.timeoutSeconds;
  if (key.kind === "mark") {
    return {
      name: `FWM ${key.mark}`,
      protocol: "tcp",
      vip: undefined,
      port: 0,
      mark: key.mark,
      persistenceSeconds,
      servers,
    };
  }
  const { address, port } = key.endpoint;
  const host = address.includes(":") ? `[${address}]` : address;
  return {
    name: `${key.protocol.toUpperCase()} ${host}:${port}`,
    protocol: key.protocol,
    vip: Address.parse(address),
    port,
    mark: undefined,
    persistenceSeconds,
    servers,
  };
}
