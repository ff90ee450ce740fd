/** The kernel engine's figures as a table. */
import { table } from "../table.ts";
import { KERNEL_METHOD, type KernelFigures } from "./main.ts";

export function kernelReport({ rows, bytesPerFlow }: KernelFigures): string[] {
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
    `A known flow's direction takes ${bytesPerFlow.toFixed(0)} bytes of the kernel's memory.`,
  ];
}
