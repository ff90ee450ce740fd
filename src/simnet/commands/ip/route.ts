/** `ip route`: show, get, add, replace, del, flush. */
import { Address, type Family } from "../../../net/address.ts";
import { type Prefix, parsePrefix, prefixContains } from "../../../net/prefix.ts";
import { bitsOf } from "../../host/addresses.ts";
import type { NetworkInterface, ScopeName } from "../../host/interface.ts";
import type { RouteEntry } from "../../host/route.ts";
import type { Context } from "../../shell/program.ts";
import {
  Arguments,
  addressIn,
  EXIT,
  IpFailure,
  type IpOptions,
  interfaceOf,
  means,
  refused,
} from "./arguments.ts";

const ANY: Readonly<Record<Family, Prefix>> = {
  inet: { address: Address.parse("0.0.0.0")!, length: 0 },
  inet6: { address: Address.parse("::")!, length: 0 },
};
const INET6_METRIC = 1_024;

export function ipRoute(words: readonly string[], options: IpOptions, context: Context): undefined {
  const [verb = "show", ...rest] = words;
  if (means(verb, "show", "list")) return show(rest, options, context);
  if (means(verb, "get")) return get(rest, context);
  if (means(verb, "add", "append", "replace", "change")) return add(verb, rest, options, context);
  if (means(verb, "delete")) return remove(rest, options, context);
  if (means(verb, "flush")) return flush(rest, options, context);
  throw new IpFailure(`Command "${verb}" is unknown, try "ip route help".`, EXIT.unknown);
}

interface Wanted {
  readonly type: RouteEntry["type"];
  readonly prefix: Prefix | undefined;
  readonly gateway: Address | undefined;
  readonly dev: string | undefined;
  readonly source: Address | undefined;
  readonly scope: ScopeName | undefined;
  readonly metric: number | undefined;
  readonly mtu: number | undefined;
  readonly table: string | undefined;
}

const TYPES = ["unicast", "local", "unreachable", "blackhole", "broadcast"] as const;

function wantedIn(words: readonly string[], { family = "inet" }: IpOptions): Wanted {
  const args = new Arguments(words);
  let type: Wanted["type"] = "unicast";
  const wanted: { -readonly [Key in keyof Wanted]?: Wanted[Key] } = {};
  for (let word = args.take(); word !== undefined; word = args.take()) {
    const known = TYPES.find((each) => each === word);
    if (known !== undefined) type = known;
    else if (word === "via") wanted.gateway = addressIn(args.value(word));
    else if (word === "dev") wanted.dev = args.value(word);
    else if (word === "src") wanted.source = addressIn(args.value(word));
    else if (word === "scope") wanted.scope = args.value(word) as ScopeName;
    else if (word === "metric" || word === "preference") wanted.metric = Number(args.value(word));
    else if (word === "mtu") {
      if (args.next === "lock") args.take();
      wanted.mtu = Number(args.value(word));
    } else if (word === "table") wanted.table = args.value(word);
    else if (
      word === "proto" ||
      word === "advmss" ||
      word === "root" ||
      word === "match" ||
      word === "exact"
    ) {
      const value = args.value(word);
      if (word === "root" || word === "match" || word === "exact")
        wanted.prefix = parsePrefix(value);
    } else if (word !== "to" && word !== "onlink" && word !== "cache")
      wanted.prefix = prefixOf(word, family);
  }
  return {
    gateway: undefined,
    dev: undefined,
    source: undefined,
    scope: undefined,
    metric: undefined,
    mtu: undefined,
    table: undefined,
    prefix: undefined,
    ...wanted,
    type,
  };
}

function prefixOf(word: string, family: Family): Prefix {
  if (word === "default" || word === "any") return ANY[family];
  const prefix = parsePrefix(word);
  if (prefix === undefined) {
    throw new IpFailure(`Error: inet prefix is expected rather than "${word}".`);
  }
  return prefix;
}

function show(
  words: readonly string[],
  { family = "inet", ...options }: IpOptions,
  { host, out }: Context,
): undefined {
  const { prefix, dev, table = "main", gateway } = wantedIn(words, { family, ...options });
  for (const route of host.routes.listed(family, table)) {
    if (prefix !== undefined && !isSamePrefix(prefix, route.prefix)) continue;
    if (dev !== undefined && route.interface.name !== dev) continue;
    if (gateway !== undefined && !route.gateway?.equals(gateway)) continue;
    out.write(`${routeLine(route, dev === undefined)}\n`);
  }
}

function routeLine(route: RouteEntry, showsInterface: boolean): string {
  const { prefix, type, gateway, source, scope, protocol, metric, mtu, interface: out } = route;
  const { family } = prefix.address;
  const to =
    prefix.length === 0
      ? "default"
      : prefix.length === bitsOf(family)
        ? `${prefix.address}`
        : `${prefix.address}/${prefix.length}`;
  const parts = [
    ...(type === "unicast" ? [] : [type]),
    to,
    ...(gateway === undefined ? [] : [`via ${gateway}`]),
    ...(showsInterface ? [`dev ${out.name}`] : []),
    ...(protocol === "boot" && family === "inet" ? [] : [`proto ${protocol}`]),
    ...(scope === "global" ? [] : [`scope ${scope}`]),
    ...(source === undefined ? [] : [`src ${source}`]),
    ...(metric === 0 && family === "inet" ? [] : [`metric ${metric}`]),
    ...(mtu === undefined ? [] : [`mtu ${mtu}`]),
    ...(family === "inet6" ? ["pref medium"] : []),
  ];
  return family === "inet6" ? parts.join(" ") : `${parts.join(" ")} `;
}

function get(words: readonly string[], context: Context): undefined {
  const { host, out } = context;
  const args = new Arguments(words);
  let to: Address | undefined;
  let from: Address | undefined;
  let via: NetworkInterface | undefined;
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "from") from = addressIn(args.value(word));
    else if (word === "oif" || word === "iif" || word === "dev")
      via = interfaceOf(context, args.value(word));
    else if (word !== "to") to = addressIn(word.replace(/\/.*/, ""));
  }
  if (to === undefined) throw new IpFailure("need at least a destination address");
  const way = host.inet.wayOut(to, via);
  if (way === "unreachable") throw refused("Network is unreachable");
  const whence = from === undefined ? "" : `from ${from} `;
  if (way === "local") {
    const source = host.routes.find(to)?.source ?? to;
    const shown = from === undefined ? `src ${source} ` : "";
    out.write(`local ${to} ${whence}dev lo ${shown}uid 0 \n    cache <local> \n`);
    return;
  }
  const hop = way.nextHop.equals(to) ? "" : `via ${way.nextHop} `;
  const learnt = host.pathMtus.find(to);
  const left = learnt && Math.ceil((learnt.untilMs - host.agenda.now()) / 1_000);
  const cache = learnt === undefined ? "cache " : `cache expires ${left}sec mtu ${learnt.mtu} `;
  const source = from === undefined ? `src ${way.source} ` : "";
  if (to.family === "inet6") {
    const fit = learnt === undefined ? "" : `expires ${left}sec mtu ${learnt.mtu} `;
    out.write(
      `${to} ${whence}${hop}dev ${way.interface.name} proto kernel src ${way.source} metric ${way.route.metric} ${fit}pref medium\n`,
    );
    return;
  }
  out.write(`${to} ${whence}${hop}dev ${way.interface.name} ${source}uid 0 \n    ${cache}\n`);
}

function add(
  verb: string,
  words: readonly string[],
  options: IpOptions,
  context: Context,
): undefined {
  const { host } = context;
  const wanted = wantedIn(words, options);
  const { gateway, type } = wanted;
  const family = wanted.prefix?.address.family ?? gateway?.family ?? "inet";
  const named = wanted.prefix ?? ANY[family];
  const prefix = named.length === 0 ? ANY[gateway?.family ?? family] : named;
  const given = wanted.dev === undefined ? undefined : interfaceOf(context, wanted.dev);
  if (!prefix.address.masked(prefix.length).equals(prefix.address)) {
    throw new IpFailure("Error: Invalid prefix for given prefix length.", EXIT.refused);
  }
  let out = given;
  if (gateway !== undefined) {
    const hop = host.routes.find(gateway, given);
    if (hop === undefined || hop.type !== "unicast" || hop.gateway !== undefined) {
      const why = hop === undefined && family === "inet6" ? "No route to host" : undefined;
      throw why === undefined
        ? new IpFailure("Error: Nexthop has invalid gateway.", EXIT.refused)
        : refused(why);
    }
    out ??= hop.interface;
  }
  if (out === undefined && type !== "unicast") [out] = host.interfaces;
  if (out === undefined) throw refused("No such device");
  if (!out.isUp) throw new IpFailure("Error: Device for nexthop is not up.", EXIT.refused);
  if (wanted.source !== undefined && !host.isLocal(wanted.source)) {
    throw new IpFailure("Error: Invalid prefsrc address.", EXIT.refused);
  }
  const metric = wanted.metric ?? (prefix.address.family === "inet6" ? INET6_METRIC : 0);
  const table = wanted.table ?? (type === "local" || type === "broadcast" ? "local" : "main");
  const isSame = (each: RouteEntry): boolean =>
    each.table === table && each.metric === metric && isSamePrefix(each.prefix, prefix);
  if (means(verb, "replace", "change")) host.routes.remove(isSame);
  else if (host.routes.entries.some(isSame)) throw refused("File exists");
  const near =
    type === "local" ? "host" : gateway === undefined && type === "unicast" ? "link" : "global";
  const scope = wanted.scope ?? (prefix.address.family === "inet6" ? "global" : near);
  host.routes.add({
    table,
    type,
    prefix,
    gateway,
    interface: out,
    source: wanted.source,
    scope,
    protocol: "boot",
    metric,
    mtu: wanted.mtu,
  });
  host.tellChange("routes", `${routeLine(host.routes.entries.at(-1)!, true).trim()}`);
}

function remove(words: readonly string[], options: IpOptions, { host }: Context): undefined {
  const { prefix, gateway, dev, metric, type, table } = wantedIn(words, options);
  const family = gateway?.family ?? options.family ?? prefix?.address.family ?? "inet";
  const wanted = prefix === undefined || prefix.length === 0 ? ANY[family] : prefix;
  const fits = (route: RouteEntry): boolean =>
    route.table === (table ?? (type === "local" ? "local" : "main")) &&
    isSamePrefix(route.prefix, wanted) &&
    (gateway === undefined || route.gateway?.equals(gateway) === true) &&
    (dev === undefined || route.interface.name === dev) &&
    (metric === undefined || route.metric === metric);
  const first = host.routes
    .listed(wanted.address.family, table ?? (type === "local" ? "local" : "main"))
    .find(fits);
  if (first === undefined) throw refused("No such process");
  host.routes.remove((route) => route === first);
  host.tellChange("routes", `${routeLine(first, true).trim()} is gone`);
}

function flush(words: readonly string[], options: IpOptions, { host }: Context): undefined {
  if (words.includes("cache")) {
    host.pathMtus.forget();
    return;
  }
  const { prefix, dev } = wantedIn(words, options);
  host.routes.remove(
    (route) =>
      route.table === "main" &&
      (dev === undefined || route.interface.name === dev) &&
      (prefix === undefined || prefixContains(prefix, route.prefix.address)),
  );
}

function isSamePrefix(one: Prefix, other: Prefix): boolean {
  return one.length === other.length && one.address.equals(other.address);
}
