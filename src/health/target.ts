/** Where a check asks: the server, its port, and whether through a VIP. */
import type { CheckPlan } from "../ipvs/desired/health.ts";
import type { DestinationPlan, ServiceKey } from "../ipvs/desired/service.ts";
import type { Tunnel } from "../ipvs/forward/tunnel.ts";
import type { ProbeTarget } from "./checker.ts";

export interface WatchTarget extends ProbeTarget {
  /** As clients' packets to this VIP go (path/); undefined: to the server's own address. */
  readonly through?: Through;
}

export interface Through {
  readonly vip: string;
  readonly tunnel?: Tunnel;
  /** By ICMP, which has no ports. */
  readonly isPing?: boolean;
}

/** Kinds that send nothing of this host's to the server. */
const ELSEWHERE = new Set(["exec", "file"]);

export function targetOf(
  check: CheckPlan,
  { endpoint, forwarding }: DestinationPlan,
  key: ServiceKey,
): WatchTarget {
  const address = check.address ?? endpoint.address.toString();
  const target = { address, port: check.port ?? endpoint.port };
  // A masqueraded server gets packets to its own address.
  if (forwarding.kind === "masquerade" || ELSEWHERE.has(check.type)) return target;
  const vip = vipOf(check, key);
  if (vip === undefined) return target;
  const through = {
    vip,
    ...(forwarding.kind === "tunnel" ? { tunnel: forwarding } : {}),
    ...(check.type === "icmp" ? { isPing: true } : {}),
  };
  // Packets come to the service's port: only masquerading changes it.
  const servicePort = key.kind === "mark" ? 0 : key.endpoint.port;
  return { address, port: check.port ?? (servicePort || endpoint.port), through };
}

/** Undefined: it is asked straight. Which VIP a mark is for no packet has told yet: the check may. */
function vipOf({ via, address }: CheckPlan, key: ServiceKey): string | undefined {
  if (via === "direct" || (via === undefined && address !== undefined)) return undefined;
  if (via !== undefined && via !== "vip") return via;
  return key.kind === "mark" ? undefined : key.endpoint.address.toString();
}
