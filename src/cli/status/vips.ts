/** How the page tells of VIPs that Sluice adds. */
import type { StatusVip } from "../../api/messages.ts";
import { lasting } from "./lasting.ts";

/** More are told by their number. */
const TOLD_MAX = 20;

/** Nothing when there are none. */
export function vipsText(vips: readonly StatusVip[], now: Date): string {
  if (vips.length === 0) return "";
  // Those that are not there first.
  const told = vips.toSorted((one, other) => rank(one) - rank(other)).slice(0, TOLD_MAX);
  const names = told.map((each) => `${each.address}/${each.prefixLength} on ${each.interface}`);
  const width = Math.max(...names.map(({ length }) => length));
  const lines = told.map((each, index) => `  ${names[index]!.padEnd(width)}  ${says(each, now)}\n`);
  const more = vips.length - told.length;
  return `VIPs:\n${lines.join("")}${more > 0 ? `  and ${more} more\n` : ""}\n`;
}

function rank({ stand }: StatusVip): number {
  return stand === "there" ? 1 : 0;
}

function says({ stand, since, own, announcedAt }: StatusVip, now: Date): string {
  if (since === null) return "not looked at yet";
  const long = `for ${lasting(since, now)}`;
  if (stand !== "there") return `${NOT_THERE[stand]}, ${long}`;
  const whose = own ? "" : ", as before Sluice: it stays";
  const told = announcedAt === null ? "" : `, announced ${lasting(announcedAt, now)} ago`;
  return `there ${long}${whose}${told}`;
}

const NOT_THERE = {
  unknown: "not looked at yet",
  "no-interface": "waits for its interface",
  "interface-down": "its interface is down",
  "taken-away": "taken away by another hand",
  refused: "refused by the kernel",
} as const;
