/** `route` of net-tools: shows the table, adds and deletes routes, by IPv4 alone. */
import { Address } from "../../net/address.ts";
import { netmask } from "../host/addresses.ts";
import type { NetworkInterface } from "../host/interface.ts";
import type { RouteEntry } from "../host/route.ts";
import { type Context, immediate, type Program } from "../shell/program.ts";

const REFUSED = 7;
const WRONG = 4;
const ANY = Address.inet(0);

export const route: Program = immediate((words, context) => {
  const plain = words.filter((word) => !["-n", "-v", "-4", "-e"].includes(word));
  const [verb, ...rest] = plain;
  if (verb === undefined) return show(context);
  if (verb !== "add" && verb !== "del" && verb !== "delete") {
    context.err.write(`Usage: route [-nNvee] [-FC] [<AF>]           List kernel routing tables\n`);
    return WRONG;
  }
  const wanted = wantedIn(rest, context);
  if (typeof wanted === "number") return wanted;
  return verb === "add" ? add(wanted, context) : remove(wanted, context);
});

interface Wanted {
  readonly destination: Address;
  readonly length: number;
  readonly gateway: Address | undefined;
  readonly card: NetworkInterface | undefined;
  readonly metric: number;
}

function wantedIn(words: readonly string[], { host, err }: Context): Wanted | number {
  let destination: Address | undefined;
  let length: number | undefined;
  let gateway: Address | undefined;
  let card: NetworkInterface | undefined;
  let metric = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "-net" || word === "-host") continue;
    if (word === "gw" || word === "netmask" || word === "metric" || word === "dev") {
      const value = words[++at] ?? "";
      const address = Address.parse(value);
      if (word === "metric") metric = Number(value);
      else if (word === "dev") {
        card = host.interface(value.split(":")[0]!);
        if (card === undefined) return complain(err, "SIOCADDRT: No such device", REFUSED);
      } else if (address === undefined) return complain(err, `${value}: Unknown host`, WRONG);
      else if (word === "gw") gateway = address;
      else length = Math.clz32(~address.w3);
      continue;
    }
    if (destination !== undefined) {
      card = host.interface(word.split(":")[0]!);
      if (card === undefined) return complain(err, "SIOCADDRT: No such device", REFUSED);
      continue;
    }
    const [place = "", bits] = word.split("/");
    destination = word === "default" ? ANY : Address.parse(place);
    if (destination === undefined) return complain(err, `${word}: Unknown host`, WRONG);
    if (word === "default" || word === "0.0.0.0") length = 0;
    else if (bits !== undefined) length = Number(bits);
  }
  if (destination === undefined) return complain(err, "Usage: route add|del ...", WRONG);
  return { destination, length: length ?? 32, gateway, card, metric };
}

function add(
  { destination, length, gateway, card, metric }: Wanted,
  { host, err }: Context,
): number {
  const hop = gateway && host.routes.find(gateway, card);
  const isReached = hop?.type === "unicast" && hop.gateway === undefined;
  if (gateway !== undefined && !isReached)
    return complain(err, "SIOCADDRT: Network is unreachable", REFUSED);
  const out = card ?? hop?.interface;
  if (out === undefined) return complain(err, "SIOCADDRT: No such device", REFUSED);
  if (!out.isUp) return complain(err, "SIOCADDRT: Network is down", REFUSED);
  const made: RouteEntry = {
    table: "main",
    type: "unicast",
    prefix: { address: destination.masked(length), length },
    interface: out,
    gateway,
    source: undefined,
    scope: gateway === undefined ? "link" : "global",
    protocol: "boot",
    metric,
    mtu: undefined,
  };
  const isThere = host.routes.entries.some((each) => isSame(each, made) && each.metric === metric);
  if (isThere) return complain(err, "SIOCADDRT: File exists", REFUSED);
  host.routes.add(made);
  host.tellChange(
    "routes",
    `${destination}/${length}${gateway === undefined ? "" : ` via ${gateway}`} dev ${out.name}`,
  );
  return 0;
}

function remove({ destination, length, gateway, card }: Wanted, { host, err }: Context): number {
  const found = host.routes.entries.find(
    (each) =>
      each.table === "main" &&
      each.prefix.length === length &&
      each.prefix.address.equals(destination.masked(length)) &&
      (gateway === undefined || each.gateway?.equals(gateway) === true) &&
      (card === undefined || each.interface === card),
  );
  if (found === undefined) return complain(err, "SIOCDELRT: No such process", REFUSED);
  host.routes.remove((each) => each === found);
  host.tellChange("routes", `${destination}/${length} is gone`);
  return 0;
}

function show({ host, out }: Context): number {
  out.write(
    "Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n",
  );
  for (const { prefix, gateway, metric, interface: card } of host.routes.listed("inet", "main")) {
    const flags = `U${gateway === undefined ? "" : "G"}${prefix.length === 32 ? "H" : ""}`;
    const columns = [
      `${prefix.address}`.padEnd(15),
      `${gateway ?? ANY}`.padEnd(15),
      `${netmask(prefix.length)}`.padEnd(15),
      flags.padEnd(5),
      `${metric}`.padEnd(6),
      "0       ",
      "0",
    ];
    out.write(`${columns.join(" ")} ${card.name}\n`);
  }
  return 0;
}

function isSame(one: RouteEntry, other: RouteEntry): boolean {
  return (
    one.table === other.table &&
    one.prefix.length === other.prefix.length &&
    one.prefix.address.equals(other.prefix.address)
  );
}

function complain(err: Context["err"], message: string, status: number): number {
  err.write(`${message}\n`);
  return status;
}
