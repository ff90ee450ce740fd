/** /proc/net/arp, as arp_format_neigh_entry() writes it. */

import { ZERO_MAC } from "../../net/mac-address.ts";
import type { Host } from "../host/host.ts";

const TITLE = "IP address       HW type     Flags       HW address            Mask     Device\n";

export function writtenArpCache({ neighbours }: Host): string {
  const rows = neighbours
    .list()
    .filter(({ address }) => address.family === "inet")
    .map(({ address, mac, state, interface: card }) => {
      const flags = mac === undefined ? "0x0" : state === "PERMANENT" ? "0x6" : "0x2";
      return `${`${address}`.padEnd(16)} ${"0x1".padEnd(11)} ${flags.padEnd(11)} ${mac ?? ZERO_MAC}     *        ${card.name}\n`;
    });
  return TITLE + rows.join("");
}
