/** Both balancers' figures side by side. */
import { table } from "../table.ts";
import type { KeepalivedFailover } from "./keepalived.ts";
import { FAILOVER_METHOD } from "./main.ts";
import type { FailoverFigures } from "./settings.ts";

export function failoverReport(
  ours: readonly FailoverFigures[],
  keepalived: KeepalivedFailover | undefined,
): string[] {
  const theirs = (row: FailoverFigures): FailoverFigures | undefined =>
    keepalived?.figures.find(
      ({ settings, end }) => settings.intervalMs === row.settings.intervalMs && end === row.end,
    );
  return [
    "## Failover",
    FAILOVER_METHOD,
    table(
      [
        "Server's end",
        "interval = timeout",
        "fall",
        "interval × fall",
        "out",
        "longest",
        "failed",
        "back",
        "keepalived: out",
        "longest",
        "failed",
        "back",
      ],
      ours.map((row) => [
        row.end,
        seconds(row.settings.intervalMs),
        `${row.settings.fall}`,
        seconds(row.settings.intervalMs * row.settings.fall),
        ...cells(row),
        ...cells(theirs(row)),
      ]),
    ),
    ...(keepalived === undefined
      ? []
      : [`The guest's clock went ${keepalived.clock.toFixed(3)} s in a second of the host's.`]),
  ];
}

function cells(figures: FailoverFigures | undefined): string[] {
  if (figures === undefined) return ["", "", "", ""];
  const { outMs, outMostMs, failedPercent, backMs } = figures;
  return [seconds(outMs), seconds(outMostMs), `${failedPercent.toFixed(0)} %`, seconds(backMs)];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
