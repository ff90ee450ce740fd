/** Spreads side by side, a bar for each server. */
import type { ServiceSpread, Spread } from "./replay.ts";

const BAR_WIDTH = 12;

export function replayPage(spreads: readonly Spread[], packets: number): string {
  const [first] = spreads;
  const services = (first?.services ?? []).map((_, index) =>
    serviceTable(
      spreads.map(({ scheduler, services }) => ({ scheduler, spread: services[index]! })),
    ),
  );
  return `${[...services, remarks(first?.reasons ?? {}, packets)].join("\n\n")}\n`;
}

interface Column {
  readonly scheduler: string;
  readonly spread: ServiceSpread;
}

function serviceTable(columns: readonly Column[]): string {
  const { service, destinations } = columns[0]!.spread;
  const head = ["", "weight", ...columns.map(({ scheduler }) => scheduler)];
  const rows = destinations.map(({ destination, weight }, index) => [
    destination,
    `${weight}`,
    ...columns.map(({ spread }) => cell(spread, index)),
  ]);
  const foot = ["most, of its share", "", ...columns.map(({ spread }) => skew(spread))];
  const table = [head, ...rows, foot];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    `  ${row.map((text, column) => text.padEnd(widths[column]!)).join("  ")}`.trimEnd(),
  );
  return [`${service}: ${counted(columns[0]!.spread.connections, "connection")}`, ...lines].join(
    "\n",
  );
}

function cell({ connections: all, destinations }: ServiceSpread, index: number): string {
  const { connections } = destinations[index]!;
  const part = all === 0 ? 0 : connections / all;
  const bar = "#".repeat(Math.round(part * BAR_WIDTH)).padEnd(BAR_WIDTH);
  return `${bar} ${`${connections}`.padStart(`${all}`.length)} ${`${(part * 100).toFixed(1)}%`.padStart(6)}`;
}

/** How much more than its share, by weight, the one got that got most beyond it. */
function skew({ connections: all, destinations }: ServiceSpread): string {
  const weights = destinations.reduce((sum, { weight }) => sum + weight, 0);
  if (all === 0 || weights === 0) return "-";
  const parts = destinations
    .filter(({ weight }) => weight > 0)
    .map(({ connections, weight }) => connections / ((all * weight) / weights));
  return `${" ".repeat(BAR_WIDTH + 1)}${Math.max(...parts).toFixed(2)}`;
}

function remarks(reasons: Readonly<Record<string, number>>, packets: number): string {
  const begun = reasons["pass-not-first"] ?? 0;
  const lost = reasons["drop-no-destination"] ?? 0;
  return [
    `${counted(packets, "packet")} were recorded.`,
    ...(begun > 0
      ? [
          `${counted(begun, "packet")} of connections that began before the capture did went to nobody.`,
        ]
      : []),
    ...(lost > 0 ? [`${counted(lost, "packet")} found no server.`] : []),
  ].join("\n");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
