/** What `sluice mark` is asked for. */
import { parseArgs } from "node:util";
import type { WireMarkRule } from "../../control/wire-marks.ts";
import { markRuleFromWire } from "../../control/wire-marks.ts";
import {
  formatMarkMatch,
  MARK_PROTOCOLS,
  type MarkProtocol,
  normalized,
} from "../../ipvs/mark-rule.ts";
import type { Family } from "../../net/address.ts";
import { parsePrefix } from "../../net/prefix.ts";

export type MarkCommand =
  | { readonly kind: "help" }
  | { readonly kind: "list"; readonly isJson: boolean }
  | { readonly kind: "flush" }
  | { readonly kind: "add"; readonly rule: WireMarkRule; readonly position: number | undefined }
  /** By the place in the list, from 1, or by what the list calls the rule. */
  | { readonly kind: "delete"; readonly which: number | string };

/** The words make no sense; the message says which and what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const MARK_HELP = `Usage: sluice mark add --mark N [match] [--at POSITION]
       sluice mark delete POSITION | match
       sluice mark list [--json]
       sluice mark flush

Gives packets the firewall mark that an fwmark service (ipvsadm -A -f N) balances. The first rule that
matches decides; new rules come last. Packets of a marked kind are taken even when they go to an
address that is not the host's.

Match (what is not given is any):
  -s, --from PREFIX      where a packet comes from: 10.9.0.0/16, 2001:db8::/32 or one address
  -d, --to PREFIX        where it goes
  -p, --protocol NAME    tcp, udp, sctp, icmp or any
      --ports LIST       where it goes, with tcp, udp and sctp: 80,443,8000-8100 (also: --dports)
      --from-ports LIST  where it comes from (also: --sports)
      --family FAMILY    inet or inet6, where no prefix tells (default: inet; also: -4, -6)

  -m, --mark N           1 to 4294967295, or hexadecimal: 0x7 (also: --set-mark)
      --at POSITION      in the list, from 1; the rules from there on move back
      --json             one JSON object
  -h, --help             this

iptables -t mangle -A PREROUTING -d 10.0.0.1 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 7
is
sluice mark add -d 10.0.0.1 -p tcp --dports 80,443 --set-mark 7

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.
Exit status: 0 done, 1 refused or not possible, 2 wrong arguments.
`;

/** Throws UsageError. */
export function parseMarkCommand(args: readonly string[]): MarkCommand {
  const { values, positionals } = parse(args);
  const [verb, ...rest] = positionals;
  if (values.help === true || verb === undefined || verb === "help") return { kind: "help" };
  if (verb !== "delete" && rest.length > 0) throw new UsageError(`unexpected word '${rest[0]}'`);
  switch (verb) {
    case "add":
      mayOnly(values, [...MATCH_OPTIONS, "mark", "set-mark", "at"], verb);
      return { kind: "add", rule: ruleOf(values), position: positionOf(values.at, "--at") };
    case "delete":
      return { kind: "delete", which: whichOf(values, rest) };
    case "list":
      mayOnly(values, ["json"], verb);
      return { kind: "list", isJson: values.json === true };
    case "flush":
      mayOnly(values, [], verb);
      return { kind: "flush" };
    default:
      throw new UsageError(`unknown command '${verb}': expected add, delete, list or flush`);
  }
}

// biome-ignore format: a table
const OPTIONS = {
  from:         { type: "string", short: "s" },
  to:           { type: "string", short: "d" },
  protocol:     { type: "string", short: "p" },
  ports:        { type: "string" },
  dports:       { type: "string" },
  "from-ports": { type: "string" },
  sports:       { type: "string" },
  family:       { type: "string" },
  inet:         { type: "boolean", short: "4" },
  inet6:        { type: "boolean", short: "6" },
  mark:         { type: "string", short: "m" },
  "set-mark":   { type: "string" },
  at:           { type: "string" },
  json:         { type: "boolean" },
  help:         { type: "boolean", short: "h" },
} as const;

const MATCH_OPTIONS = [
  "from",
  "to",
  "protocol",
  "ports",
  "dports",
  "from-ports",
  "sports",
  "family",
  "inet",
  "inet6",
] as const;

type OptionName = keyof typeof OPTIONS;
type Values = ReturnType<typeof parse>["values"];

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function mayOnly(values: Values, allowed: readonly OptionName[], verb: string): void {
  for (const name of Object.keys(values) as OptionName[]) {
    if (!allowed.includes(name)) throw new UsageError(`--${name} means nothing to '${verb}'`);
  }
}

function whichOf(values: Values, rest: readonly string[]): number | string {
  const [word, ...more] = rest;
  if (more.length > 0) throw new UsageError(`unexpected word '${more[0]}'`);
  if (word !== undefined) {
    mayOnly(values, [], "delete POSITION");
    return positionOf(word, "position")!;
  }
  mayOnly(values, MATCH_OPTIONS, "delete");
  if (Object.keys(values).length === 0) {
    throw new UsageError("delete needs a position or a match: see sluice mark list");
  }
  const rule = markRuleFromWire({ ...matchOf(values), mark: 1 });
  return formatMarkMatch(normalized(rule));
}

function ruleOf(values: Values): WireMarkRule {
  const mark = oneOf(values, "mark", "set-mark");
  if (mark === undefined) throw new UsageError("add needs --mark N");
  return { ...matchOf(values), mark: markOf(mark) };
}

function matchOf(values: Values): Omit<WireMarkRule, "mark"> {
  const { from, to } = values;
  return {
    family: familyOf(values),
    protocol: protocolOf(values.protocol),
    source: from ?? null,
    sourcePorts: portsOf(oneOf(values, "from-ports", "sports") ?? ""),
    destination: to ?? null,
    destinationPorts: portsOf(oneOf(values, "ports", "dports") ?? ""),
  };
}

/** The value of one option by either of its names. */
function oneOf<Name extends "ports" | "dports" | "from-ports" | "sports" | "mark" | "set-mark">(
  values: Values,
  name: Name,
  other: Name,
): string | undefined {
  if (values[name] !== undefined && values[other] !== undefined) {
    throw new UsageError(`--${name} and --${other} are the same: give one`);
  }
  return values[name] ?? values[other];
}

function familyOf(values: Values): Family {
  const said = new Set<Family>();
  for (const name of ["from", "to"] as const) {
    const text = values[name];
    if (text === undefined) continue;
    const prefix = parsePrefix(text);
    if (prefix === undefined) {
      throw new UsageError(`--${name} ${text}: expected an address or a prefix such as 10.0.0.0/8`);
    }
    said.add(prefix.address.family);
  }
  const { family } = values;
  if (family !== undefined && family !== "inet" && family !== "inet6") {
    throw new UsageError(`--family ${family}: expected inet or inet6`);
  }
  if (family !== undefined) said.add(family);
  if (values.inet === true) said.add("inet");
  if (values.inet6 === true) said.add("inet6");
  if (said.size > 1) throw new UsageError("a rule is for IPv4 or for IPv6, and not for both");
  return [...said][0] ?? "inet";
}

function protocolOf(text = "any"): MarkProtocol {
  const name = PROTOCOL_ALIASES[text] ?? text;
  const protocol = MARK_PROTOCOLS.find((each) => each === name);
  if (protocol !== undefined) return protocol;
  throw new UsageError(`--protocol ${text}: expected one of ${MARK_PROTOCOLS.join(", ")}`);
}

/** iptables' words. */
const PROTOCOL_ALIASES: Readonly<Record<string, MarkProtocol>> = {
  all: "any",
  icmpv6: "icmp",
  "ipv6-icmp": "icmp",
};

function portsOf(list: string): WireMarkRule["destinationPorts"] {
  if (list === "") return [];
  return list.split(",").map((text) => {
    const [, first, last = first] = /^(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(text) ?? [];
    const range = { first: Number(first), last: Number(last) };
    if (!(range.first <= 0xffff && range.last <= 0xffff)) {
      throw new UsageError(`port ${text}: expected a number to 65535 or a range such as 8000-8100`);
    }
    return range;
  });
}

function markOf(text: string): number {
  const mark = /^(?:\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : Number.NaN;
  if (mark >= 1 && mark <= 0xffff_ffff) return mark;
  const hint = text.includes("/") ? "; a mask has no meaning here" : "";
  throw new UsageError(`--mark ${text}: expected a number from 1 to 4294967295${hint}`);
}

function positionOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`${name} ${text}: expected a number from 1`);
}
