/** The kernel engine's figures as a table. */
import { table } from "../table.ts";
import { KERNEL_METHOD, type KernelFigures, type KernelRow, KINDS } from "./main.ts";
import { PLACES } from "./openings.ts";

const TITLES = { tc: "At tc", xdp: "At XDP" } as const;

export function kernelReport(figures: KernelFigures): string[] {
  const { bytesPerFlow, configuring } = figures;
  return [
    "## In the kernel",
    KERNEL_METHOD,
    ...(["tc", "xdp"] as const).flatMap((hook) => [
      `### ${TITLES[hook]}`,
      flowsTable(
        KINDS[hook].slice(1),
        figures.rows.filter((row) => row.hook === hook),
      ),
    ]),
    "In parentheses: multiples of the floor.",
    `A connection takes ${bytesPerFlow.toFixed(0)} bytes of the kernel's memory.`,
    openingsTable(figures),
    `1,000 services of 10 servers are put in force in ${configuring.applyMs.toFixed(0)} ms, one server's weight among them in ${configuring.changeMs.toFixed(1)} ms.`,
  ];
}

function flowsTable(
  kinds: readonly (keyof KernelRow["netNs"])[],
  rows: readonly KernelRow[],
): string {
  const beside = (ns = Number.NaN, floor = Number.NaN): string =>
    `${ns.toFixed(0)} (${(ns / floor).toFixed(1)})`;
  return table(
    ["Known flows", "floor, ns", ...kinds],
    rows.map(({ flows, netNs }) => [
      flows.toLocaleString("en"),
      netNs.floor!.toFixed(0),
      ...kinds.map((kind) => beside(netNs[kind], netNs.floor)),
    ]),
  );
}

/** New connections a second, of one processor. */
function openingsTable({ openings }: KernelFigures): string {
  const first = openings.filter(({ place }) => place === PLACES[0]);
  return table(
    ["New connections a second", "servers", ...PLACES],
    first.map(({ scheduler, servers }) => [
      scheduler,
      servers.toLocaleString("en"),
      ...PLACES.map((place) => {
        const found = openings.find(
          (each) =>
            each.place === place && each.scheduler === scheduler && each.servers === servers,
        );
        return Math.round(found?.perSecond ?? Number.NaN).toLocaleString("en");
      }),
    ]),
  );
}
