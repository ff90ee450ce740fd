/** Services with their destinations as rows of one list, as a filter leaves them. */
import { formatEndpointId, formatServiceId } from "../../../src/api/ids.ts";
import type { HealthStatus } from "../../../src/api/messages.ts";
import type {
  WireDestinationStatus,
  WireForwarding,
  WireServiceStatus,
} from "../../../src/control/wire.ts";

export type Health = "up" | "down" | "draining" | "unchecked" | "quiet";

export interface ServiceRow {
  readonly kind: "service";
  readonly id: string;
  /** The row's own. */
  readonly key: string;
  /** What the file that was applied calls it. */
  readonly name: string | undefined;
  readonly service: WireServiceStatus;
  readonly health: Health;
  readonly why: string;
  /** Weights that are up, of those that are wanted; undefined where nobody checks. */
  readonly sum: { readonly sum: number; readonly quorum: number } | undefined;
}

export interface DestinationRow {
  readonly kind: "destination";
  readonly id: string;
  readonly key: string;
  readonly service: WireServiceStatus;
  /** Undefined: checks have taken it out. */
  readonly destination: WireDestinationStatus | undefined;
  readonly health: Health;
  readonly why: string;
}

export type Row = ServiceRow | DestinationRow;

export interface Known {
  readonly services: readonly WireServiceStatus[];
  readonly health: HealthStatus | undefined;
  readonly names: Readonly<Record<string, string>>;
}

/** A service stays with those of its servers that match, or with all when it matches itself. */
export function rowsOf({ services, health, names }: Known, filter: string): Row[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const checked = new Map((health?.services ?? []).map((each) => [each.service, each]));
  return services.flatMap((service) => {
    const id = formatServiceId(service.key);
    const known = checked.get(id);
    const found = new Map((known?.destinations ?? []).map((each) => [each.destination, each]));
    const own = [id, names[id] ?? "", service.scheduler].join(" ").toLowerCase();
    const destinations = service.destinations.map((destination): DestinationRow => {
      const endpoint = formatEndpointId(destination.endpoint);
      const check = found.get(endpoint);
      return {
        kind: "destination",
        id: endpoint,
        key: `${id} ${endpoint}`,
        service,
        destination,
        health: healthOf(destination, check?.health),
        why: check?.why ?? "",
      };
    });
    for (const { destination, health: state, why, weight } of known?.destinations ?? []) {
      if (weight !== null || destinations.some((row) => row.id === destination)) continue;
      const key = `${id} ${destination}`;
      destinations.push({
        kind: "destination",
        id: destination,
        key,
        service,
        destination: undefined,
        health: state,
        why,
      });
    }
    const kept = destinations.filter((row) => {
      const text = `${own} ${row.id} ${row.health} ${row.destination === undefined ? "" : forwardingName(row.destination.forwarding)}`;
      return words.every((word) => text.includes(word));
    });
    if (kept.length === 0 && !words.every((word) => own.includes(word))) return [];
    const row: ServiceRow = {
      kind: "service",
      id,
      key: id,
      name: names[id],
      service,
      health: known === undefined ? "unchecked" : known.hasQuorum ? "up" : "down",
      why: "",
      sum: known === undefined ? undefined : { sum: known.sum, quorum: known.quorum },
    };
    return [row, ...kept];
  });
}

function healthOf(destination: WireDestinationStatus, found: string | undefined): Health {
  if (destination.drain !== undefined) return "draining";
  if (found === "down") return "down";
  if (destination.weight === 0) return "quiet";
  return found === "up" ? "up" : "unchecked";
}

export function forwardingName(forwarding: WireForwarding): string {
  return forwarding.kind === "tunnel" ? `tunnel ${forwarding.encapsulation}` : forwarding.kind;
}
