/** `ip address`: show, add, change, del, flush. */
import type { Address } from "../../../net/address.ts";
import { prefixContains } from "../../../net/prefix.ts";
import { broadcastOf } from "../../host/addresses.ts";
import type { InterfaceAddress, NetworkInterface, ScopeName } from "../../host/interface.ts";
import type { Context } from "../../shell/program.ts";
import {
  Arguments,
  EXIT,
  IpFailure,
  type IpOptions,
  interfaceOf,
  means,
  prefixIn,
  refused,
  shownInterface,
} from "./arguments.ts";
import { hardwareLine, headLine, operationState } from "./link.ts";

const LIFETIME = "       valid_lft forever preferred_lft forever";
/** How the kernel says of IPv4's addresses what the C library says otherwise. */
const INET_WORDS: Readonly<Record<string, string>> = { "File exists": "Address already assigned" };
const SCOPES = ["global", "site", "link", "host"] as const;

export function ipAddress(
  words: readonly string[],
  options: IpOptions,
  context: Context,
): undefined {
  const [verb = "show", ...rest] = words;
  if (means(verb, "show", "list")) return show(rest, options, context);
  if (means(verb, "add")) return add(rest, context);
  if (means(verb, "change", "replace")) return add(rest, context, true);
  if (means(verb, "delete")) return remove(rest, context);
  if (means(verb, "flush")) return flush(rest, context);
  throw new IpFailure(`Command "${verb}" is unknown, try "ip address help".`, EXIT.unknown);
}

interface Filter {
  readonly card: NetworkInterface | undefined;
  readonly label: string | undefined;
  readonly scope: string | undefined;
  readonly to: ReturnType<typeof prefixIn> | undefined;
  readonly isUp: boolean;
}

function filterIn(words: readonly string[], context: Context): Filter {
  const args = new Arguments(words);
  let card: NetworkInterface | undefined;
  let label: string | undefined;
  let scope: string | undefined;
  let to: Filter["to"];
  let isUp = false;
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "dev") card = shownInterface(context, args.value(word));
    else if (word === "label") label = args.value(word);
    else if (word === "scope") scope = args.value(word);
    else if (word === "to") to = prefixIn(args.value(word));
    else if (word === "up") isUp = true;
    else if (word === "primary" || word === "secondary" || word === "permanent") continue;
    else card = shownInterface(context, word);
  }
  return { card, label, scope, to, isUp };
}

function isShown(
  each: InterfaceAddress,
  { label, scope, to }: Filter,
  { family }: IpOptions,
): boolean {
  if (family !== undefined && each.address.family !== family) return false;
  if (label !== undefined && !labelMatches(each, label)) return false;
  if (scope !== undefined && each.scope !== scope) return false;
  return to === undefined || prefixContains(to, each.address);
}

function labelMatches({ label, address }: InterfaceAddress, pattern: string): boolean {
  if (address.family === "inet6") return false;
  return pattern.endsWith("*") ? label.startsWith(pattern.slice(0, -1)) : label === pattern;
}

function show(words: readonly string[], options: IpOptions, context: Context): undefined {
  const filter = filterIn(words, context);
  const { host, out } = context;
  const isPicky =
    filter.label !== undefined ||
    filter.scope !== undefined ||
    filter.to !== undefined ||
    options.family !== undefined;
  for (const card of host.interfaces) {
    if (filter.card !== undefined && filter.card !== card) continue;
    if (filter.isUp && !card.isUp) continue;
    const shown = [...card.inet, ...card.inet6].filter((each) => isShown(each, filter, options));
    if (isPicky && shown.length === 0) continue;
    if (options.isBrief) {
      const texts = shown.map(({ address, prefixLength }) => `${address}/${prefixLength} `);
      out.write(`${card.name.padEnd(16)} ${operationState(card).padEnd(14)} ${texts.join("")}\n`);
      continue;
    }
    if (options.isOneLine) {
      for (const each of shown) {
        out.write(`${card.index}: ${card.name}    ${addressLine(each)}\\${LIFETIME}\n`);
      }
      continue;
    }
    // With a label alone ip leaves out the interface's own lines.
    if (filter.label === undefined) {
      out.write(`${headLine(card)}\n`);
      if (options.family === undefined && filter.to === undefined)
        out.write(`${hardwareLine(card)}\n`);
    }
    for (const each of shown) out.write(`    ${addressLine(each)}\n${LIFETIME}\n`);
  }
}

function addressLine({
  address,
  prefixLength,
  broadcast,
  scope,
  label,
  isSecondary,
  isDeprecated,
}: InterfaceAddress): string {
  if (address.family === "inet6") {
    return `inet6 ${address}/${prefixLength} scope ${scope} ${isDeprecated ? "deprecated " : ""}`;
  }
  const all = broadcast === undefined ? "" : ` brd ${broadcast}`;
  return `inet ${address}/${prefixLength}${all} scope ${scope} ${isSecondary ? "secondary " : ""}${label}`;
}

function add(words: readonly string[], context: Context, mayBeThere = false): undefined {
  const args = new Arguments(words);
  let prefix: ReturnType<typeof prefixIn> | undefined;
  let dev: string | undefined;
  let label: string | undefined;
  let scope: ScopeName | undefined;
  let broadcast: Address | undefined;
  let wantsBroadcast = false;
  let isDeprecated = false;
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "dev") dev = args.value(word);
    else if (word === "label") label = args.value(word);
    else if (word === "scope") scope = scopeIn(args.value(word));
    else if (word === "brd" || word === "broadcast") {
      const value = args.value(word);
      if (value === "+") wantsBroadcast = true;
      else broadcast = prefixIn(value).address;
    } else if (word === "preferred_lft") isDeprecated = args.value(word) === "0";
    else if (word === "valid_lft" || word === "peer") args.value(word);
    else if (word === "nodad" || word === "noprefixroute" || word === "local") continue;
    else if (prefix === undefined) prefix = prefixIn(word);
    else throw new IpFailure(`Error: either "local" is duplicate, or "${word}" is a garbage.`);
  }
  if (dev === undefined) throw new IpFailure(`Not enough information: "dev" argument is required.`);
  if (prefix === undefined)
    throw new IpFailure(`Not enough information: "local" argument is required.`);
  const card = interfaceOf(context, dev);
  if (label !== undefined && !label.startsWith(dev)) {
    throw new IpFailure(`"dev" (${dev}) must match "label" (${label}).`);
  }
  const { address, length: prefixLength } = prefix;
  if (address.family === "inet6" && isWithoutInet6(context, card)) {
    throw new IpFailure("Error: IPv6 is disabled on this device.", EXIT.refused);
  }
  if (mayBeThere && context.host.addresses.change(card, address, isDeprecated)) return;
  if (wantsBroadcast) broadcast = broadcastOf(address, prefixLength);
  const complaint = context.host.addresses.add(card, {
    address,
    prefixLength,
    label,
    scope,
    broadcast,
    isDeprecated,
  });
  if (complaint === undefined) return;
  throw address.family === "inet"
    ? new IpFailure(`Error: ipv4: ${INET_WORDS[complaint] ?? complaint}.`, EXIT.refused)
    : refused(complaint);
}

function isWithoutInet6({ host }: Context, { name }: NetworkInterface): boolean {
  return host.settings.own6("disable_ipv6", name) !== 0;
}

function scopeIn(text: string): ScopeName {
  const known = SCOPES.find((each) => each === text);
  if (known !== undefined) return known;
  throw new IpFailure(`Error: argument "${text}" is wrong: invalid scope value.`);
}

function remove(words: readonly string[], context: Context): undefined {
  const args = new Arguments(words);
  let prefix: ReturnType<typeof prefixIn> | undefined;
  let hasLength = false;
  let dev: string | undefined;
  for (let word = args.take(); word !== undefined; word = args.take()) {
    if (word === "dev") dev = args.value(word);
    else if (word === "label" || word === "scope") args.value(word);
    else {
      prefix = prefixIn(word);
      hasLength = word.includes("/");
    }
  }
  if (dev === undefined) throw new IpFailure(`Not enough information: "dev" argument is required.`);
  const card = interfaceOf(context, dev);
  if (prefix === undefined)
    throw new IpFailure(`Not enough information: "local" argument is required.`);
  const { address, length } = prefix;
  const isGone = context.host.addresses.remove(
    card,
    (each) => each.address.equals(address) && (!hasLength || each.prefixLength === length),
  );
  if (isGone) return;
  throw address.family === "inet"
    ? new IpFailure("Error: ipv4: Address not found.", EXIT.refused)
    : refused("Cannot assign requested address");
}

function flush(words: readonly string[], context: Context): undefined {
  const filter = filterIn(words, context);
  const { host } = context;
  const options = { family: undefined, isOneLine: false, isBrief: false };
  for (const card of host.interfaces) {
    if (filter.card !== undefined && filter.card !== card) continue;
    while (host.addresses.remove(card, (each) => isShown(each, filter, options)));
  }
}
