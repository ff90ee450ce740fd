/** The kernel engine's figures as a table. */
import { table } from "../table.ts";
import { KERNEL_METHOD, type KernelFigures, KINDS } from "./main.ts";

export function kernelReport({
  rows,
  bytesPerFlow,
  openings,
  configuring,
}: KernelFigures): string[] {
  const beside = (ns: number, floor: number): string =>
    `${ns.toFixed(0)} (${(ns / floor).toFixed(1)})`;
  const behindFirewall = (scheduler: string, servers: number): number =>
    openings.find(
      (each) =>
        each.admission === "host" && each.scheduler === scheduler && each.servers === servers,
    )?.perSecond ?? Number.NaN;
  return [
    "## In the kernel",
    KERNEL_METHOD,
    table(
      ["Known flows", "floor, ns", ...KINDS.slice(1)],
      rows.map(({ flows, netNs }) => [
        flows.toLocaleString("en"),
        netNs.floor.toFixed(0),
        ...KINDS.slice(1).map((kind) => beside(netNs[kind], netNs.floor)),
      ]),
    ),
    "In parentheses: multiples of the floor.",
    `A connection takes ${bytesPerFlow.toFixed(0)} bytes of the kernel's memory.`,
    table(
      ["Scheduler", "servers", "new connections a second and processor, wire", "host"],
      openings
        .filter(({ admission }) => admission === "wire")
        .map(({ scheduler, servers, perSecond }) => [
          scheduler,
          servers.toLocaleString("en"),
          Math.round(perSecond).toLocaleString("en"),
          Math.round(behindFirewall(scheduler, servers)).toLocaleString("en"),
        ]),
    ),
    `1,000 services of 10 servers are put in force in ${configuring.applyMs.toFixed(0)} ms, one server's weight among them in ${configuring.changeMs.toFixed(1)} ms.`,
  ];
}
