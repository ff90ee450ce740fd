/** `arp` of net-tools: shows the cache, takes entries out and puts them in. */
import { Address } from "../../net/address.ts";
import { parseMac } from "../../net/mac-address.ts";
import { type Context, immediate, type Program } from "../shell/program.ts";

const REFUSED = 255;
const TITLE = "Address                  HWtype  HWaddress           Flags Mask            Iface\n";

export const arp: Program = immediate((words, context) => {
  const plain = words.filter((word) => word !== "-n" && word !== "-a" && word !== "-e");
  const [verb, host, mac] = plain;
  if (verb === "-d" && host !== undefined) return remove(host, context);
  if (verb === "-s" && host !== undefined && mac !== undefined) return set(host, mac, context);
  return show(verb, context);
});

function show(only: string | undefined, { host, out }: Context): number {
  const shown = host.neighbours
    .list()
    .filter(
      ({ address }) => address.family === "inet" && (only === undefined || `${address}` === only),
    );
  if (shown.length === 0) {
    if (only !== undefined) out.write(`${only} (${only}) -- no entry\n`);
    return only === undefined ? 0 : 1;
  }
  out.write(TITLE);
  for (const { address, mac, state, interface: card } of shown) {
    const isKnown = mac !== undefined;
    const what = isKnown
      ? `ether   ${mac.padEnd(20)}`
      : `${" ".repeat(8)}${"(incomplete)".padEnd(20)}`;
    const flags = isKnown ? (state === "PERMANENT" ? "CM" : "C") : "";
    out.write(`${`${address}`.padEnd(24)} ${what}${flags.padEnd(22)}${card.name}\n`);
  }
  return 0;
}

function remove(text: string, { host, err }: Context): number {
  const address = Address.parse(text);
  const count = address && host.neighbours.remove((each) => each.address.equals(address));
  if (count !== undefined && count > 0) return 0;
  err.write("SIOCDARP(dontpub): Network is unreachable\n");
  return REFUSED;
}

function set(text: string, lladdr: string, { host, err }: Context): number {
  const address = Address.parse(text);
  const mac = parseMac(lladdr);
  const way = address && host.inet.wayOut(address);
  if (address === undefined || mac === undefined || way === undefined || typeof way === "string") {
    err.write(
      mac === undefined ? "arp: invalid hardware address\n" : "SIOCSARP: Network is unreachable\n",
    );
    return REFUSED;
  }
  host.neighbours.set(way.interface, address, mac, "PERMANENT");
  return 0;
}
