/** The kernel engine's figures as a table. */
import { table } from "../table.ts";
import { KERNEL_METHOD, type KernelFigures } from "./main.ts";

export function kernelReport({
  rows,
  bytesPerFlow,
  openings,
  configuring,
}: KernelFigures): string[] {
  const beside = (ns: number, floor: number): string =>
    `${ns.toFixed(0)} (${(ns / floor).toFixed(1)})`;
  return [
    "## In the kernel",
    KERNEL_METHOD,
    table(
      ["Known flows", "floor, ns", "direct routing, ns (× floor)", "NAT", "IPv6, direct routing"],
      rows.map(({ flows, netNs }) => [
        flows.toLocaleString("en"),
        netNs.floor.toFixed(0),
        beside(netNs["direct routing"], netNs.floor),
        beside(netNs.NAT, netNs.floor),
        beside(netNs["IPv6, direct routing"], netNs.floor),
      ]),
    ),
    `A connection takes ${bytesPerFlow.toFixed(0)} bytes of the kernel's memory.`,
    table(
      ["Scheduler", "servers", "new connections per second and processor"],
      openings.map(({ scheduler, servers, perSecond }) => [
        scheduler,
        servers.toLocaleString("en"),
        Math.round(perSecond).toLocaleString("en"),
      ]),
    ),
    `1,000 services of 10 servers are put in force in ${configuring.applyMs.toFixed(0)} ms, one server's weight among them in ${configuring.changeMs.toFixed(1)} ms.`,
  ];
}
