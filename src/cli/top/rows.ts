/** Which services and servers are listed, in which order. */
import type { Scene, TopServer, TopService } from "./scene.ts";
import type { SortKey, View } from "./view.ts";

export type Row = TopService | TopServer;

/** Of more servers than these, services begin folded. */
const UNFOLDED_MAX = 200;

type Order = (one: Row, other: Row) => number;

/** Made once: localeCompare() would make one for each pair of ten thousand. */
const COLLATOR = new Intl.Collator("en", { numeric: true });

const byName: Order = (one, other) => COLLATOR.compare(one.id, other.id);

/** The largest first, but names. Of equals, by name. */
const ORDERS: Readonly<Record<SortKey, Order>> = {
  name: byName,
  health: (one, other) => trouble(other) - trouble(one),
  weight: (one, other) => weightOf(other) - weightOf(one),
  active: (one, other) => other.active - one.active,
  inactive: (one, other) => other.inactive - one.inactive,
  connections: (one, other) => other.rates.connectionsPerSecond - one.rates.connectionsPerSecond,
  packets: (one, other) => packets(other) - packets(one),
  bytes: (one, other) => bytes(other) - bytes(one),
};

export function rowsOf(scene: Scene, view: View): readonly Row[] {
  const order = orderOf(view);
  const isWanted = filterOf(view.filter);
  if (view.isFlat) {
    const all = scene.services.flatMap(({ servers }) => servers);
    return all.filter((server) => isWanted(server)).sort(order);
  }
  const isOpen = opener(scene, view);
  return scene.services.toSorted(order).flatMap((service): Row[] => {
    const all = isWanted(service) ? service.servers : service.servers.filter(isWanted);
    if (all.length === 0 && !isWanted(service)) return [];
    // Who looks for something sees where it is.
    const shown = isOpen(service.id) || view.filter !== "" ? all.toSorted(order) : [];
    return [service, ...shown];
  });
}

/** Whether a service's servers are listed below it. */
export function opener(scene: Scene, { folds }: View): (service: string) => boolean {
  const servers = scene.services.reduce((sum, service) => sum + service.servers.length, 0);
  const byDefault = folds.openAll ?? servers <= UNFOLDED_MAX;
  return (service) => folds.turned.has(service) !== byDefault;
}

function orderOf({ sort, isReversed }: View): Order {
  const sign = isReversed ? -1 : 1;
  const order = ORDERS[sort];
  return (one, other) => sign * order(one, other) || byName(one, other);
}

/** Every word of the filter stands somewhere in what is said of a row. */
function filterOf(filter: string): (row: Row) => boolean {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return () => true;
  return (row) => {
    const text = saidOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

function saidOf(row: Row): string {
  if (row.kind === "service")
    return `${row.id} ${row.name ?? ""} ${row.scheduler} ${row.notes.join(" ")}`;
  return `${row.name} ${row.standing} ${row.why}`;
}

/** How much somebody should look at it. */
function trouble(row: Row): number {
  if (row.kind === "service") {
    if (row.available === 0) return 4;
    if (row.notes.length > 0) return 3;
    return Math.max(0, ...row.servers.map(trouble)) / 2;
  }
  switch (row.standing) {
    case "down":
    case "removed":
      return 4;
    case "unknown":
      return 2;
    case "draining":
    case "drained":
    case "sorry":
      return 1;
    case "up":
    case "unchecked":
      return 0;
  }
}

function weightOf(row: Row): number {
  if (row.kind === "server") return row.weight ?? -1;
  return row.servers.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
}

export function packets({ rates }: Row): number {
  return rates.inPacketsPerSecond + rates.outPacketsPerSecond;
}

export function bytes({ rates }: Row): number {
  return rates.inBytesPerSecond + rates.outBytesPerSecond;
}
