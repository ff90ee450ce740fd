/**
 * ipvsadm's command line as tables: the spellings that popt is given, and which option goes with which command.
 *
 * As ipvsadm 1.31 behaves; parse.test.ts and test/golden/ hold lines that were run on the real one.
 */

/** In the order in which violations are looked for, with the names that messages use. */
export const OPTION_NAMES = [
  "numeric",
  "connection",
  "service-address",
  "scheduler",
  "persistent",
  "netmask",
  "real-server",
  "forwarding-method",
  "weight",
  "u-threshold",
  "l-threshold",
  "mcast-interface",
  "timeout",
  "daemon",
  "stats",
  "rate",
  "thresholds",
  "persistent-conn",
  "nosort",
  "syncid",
  "exact",
  "ops",
  "pe",
  "sched-flags",
  "mcast-group",
  "mcast-port",
  "mcast-ttl",
  "sync-maxlen",
  "tun-info",
  "tun-type",
  "tun-port",
  "tun-nocsum",
  "tun-csum",
  "tun-remcsum",
] as const;

export type OptionName = (typeof OPTION_NAMES)[number];

/** The names that messages use: `-C` is "flush". */
export type CommandName =
  | "add-service"
  | "edit-service"
  | "delete-service"
  | "flush"
  | "list"
  | "add-server"
  | "delete-server"
  | "edit-server"
  | "set"
  | "start-daemon"
  | "stop-daemon"
  | "restore"
  | "save"
  | "zero";

interface Legality {
  readonly needs: readonly OptionName[];
  readonly takes: readonly OptionName[];
  /** At most one of these. */
  readonly oneOf: readonly OptionName[];
}

const SERVICE_OPTIONS: readonly OptionName[] = [
  "scheduler",
  "persistent",
  "netmask",
  "ops",
  "pe",
  "sched-flags",
];

const SERVER_OPTIONS: readonly OptionName[] = [
  "forwarding-method",
  "weight",
  "u-threshold",
  "l-threshold",
  "tun-type",
  "tun-port",
  "tun-nocsum",
  "tun-csum",
  "tun-remcsum",
];

const LIST_OPTIONS: readonly OptionName[] = [
  "numeric",
  "stats",
  "rate",
  "thresholds",
  "persistent-conn",
  "nosort",
  "syncid",
  "exact",
  "tun-info",
];

const SYNC_OPTIONS: readonly OptionName[] = [
  "mcast-interface",
  "syncid",
  "mcast-group",
  "mcast-port",
  "mcast-ttl",
  "sync-maxlen",
];

// biome-ignore format: a table
export const LEGALITY: Readonly<Record<CommandName, Legality>> = {
  "add-service":    { needs: ["service-address"],                takes: SERVICE_OPTIONS,     oneOf: [] },
  "edit-service":   { needs: ["service-address"],                takes: SERVICE_OPTIONS,     oneOf: [] },
  "delete-service": { needs: ["service-address"],                takes: [],                  oneOf: [] },
  "flush":          { needs: [],                                 takes: [],                  oneOf: [] },
  "list":           { needs: [],                                 takes: LIST_OPTIONS,        oneOf: ["connection", "service-address", "timeout", "daemon"] },
  "add-server":     { needs: ["service-address", "real-server"], takes: SERVER_OPTIONS,      oneOf: [] },
  "delete-server":  { needs: ["service-address", "real-server"], takes: [],                  oneOf: [] },
  "edit-server":    { needs: ["service-address", "real-server"], takes: SERVER_OPTIONS,      oneOf: [] },
  "set":            { needs: [],                                 takes: [],                  oneOf: [] },
  "start-daemon":   { needs: [],                                 takes: SYNC_OPTIONS,        oneOf: [] },
  "stop-daemon":    { needs: [],                                 takes: ["syncid"],          oneOf: [] },
  "restore":        { needs: [],                                 takes: [],                  oneOf: [] },
  "save":           { needs: [],                                 takes: ["numeric"],         oneOf: [] },
  "zero":           { needs: [],                                 takes: ["service-address"], oneOf: [] },
};

/** What an option's spelling means. */
export type OptionTag =
  | Exclude<OptionName, "service-address" | "forwarding-method">
  | "tcp-service"
  | "udp-service"
  | "sctp-service"
  | "fwmark-service"
  | "masquerading"
  | "gatewaying"
  | "ipip"
  | "ipv6"
  | "sort";

export type CommandTag = CommandName | "help" | "version";

export type Tag = CommandTag | OptionTag;

export interface Spelling {
  readonly tag: Tag;
  readonly short?: string;
  readonly long: string;
  readonly argument: "none" | "required" | "optional";
}

// biome-ignore format: a table
export const SPELLINGS: readonly Spelling[] = [
  { tag: "add-service",     short: "A", long: "add-service",     argument: "none" },
  { tag: "edit-service",    short: "E", long: "edit-service",    argument: "none" },
  { tag: "delete-service",  short: "D", long: "delete-service",  argument: "none" },
  { tag: "flush",           short: "C", long: "clear",           argument: "none" },
  { tag: "list",            short: "L", long: "list",            argument: "none" },
  { tag: "list",            short: "l", long: "list",            argument: "none" },
  { tag: "zero",            short: "Z", long: "zero",            argument: "none" },
  { tag: "restore",         short: "R", long: "restore",         argument: "none" },
  { tag: "save",            short: "S", long: "save",            argument: "none" },
  { tag: "add-server",      short: "a", long: "add-server",      argument: "none" },
  { tag: "edit-server",     short: "e", long: "edit-server",     argument: "none" },
  { tag: "delete-server",   short: "d", long: "delete-server",   argument: "none" },
  { tag: "set",                         long: "set",             argument: "none" },
  { tag: "help",            short: "h", long: "help",            argument: "none" },
  { tag: "version",         short: "v", long: "version",         argument: "none" },
  { tag: "start-daemon",                long: "start-daemon",    argument: "required" },
  { tag: "stop-daemon",                 long: "stop-daemon",     argument: "required" },
  { tag: "tcp-service",     short: "t", long: "tcp-service",     argument: "required" },
  { tag: "udp-service",     short: "u", long: "udp-service",     argument: "required" },
  { tag: "sctp-service",                long: "sctp-service",    argument: "required" },
  { tag: "fwmark-service",  short: "f", long: "fwmark-service",  argument: "required" },
  { tag: "scheduler",       short: "s", long: "scheduler",       argument: "required" },
  { tag: "persistent",      short: "p", long: "persistent",      argument: "optional" },
  { tag: "netmask",         short: "M", long: "netmask",         argument: "required" },
  { tag: "real-server",     short: "r", long: "real-server",     argument: "required" },
  { tag: "masquerading",    short: "m", long: "masquerading",    argument: "none" },
  { tag: "ipip",            short: "i", long: "ipip",            argument: "none" },
  { tag: "gatewaying",      short: "g", long: "gatewaying",      argument: "none" },
  { tag: "weight",          short: "w", long: "weight",          argument: "required" },
  { tag: "u-threshold",     short: "x", long: "u-threshold",     argument: "required" },
  { tag: "l-threshold",     short: "y", long: "l-threshold",     argument: "required" },
  { tag: "numeric",         short: "n", long: "numeric",         argument: "none" },
  { tag: "connection",      short: "c", long: "connection",      argument: "none" },
  { tag: "mcast-interface",             long: "mcast-interface", argument: "required" },
  { tag: "syncid",                      long: "syncid",          argument: "required" },
  { tag: "timeout",                     long: "timeout",         argument: "none" },
  { tag: "daemon",                      long: "daemon",          argument: "none" },
  { tag: "stats",                       long: "stats",           argument: "none" },
  { tag: "rate",                        long: "rate",            argument: "none" },
  { tag: "thresholds",                  long: "thresholds",      argument: "none" },
  { tag: "persistent-conn",             long: "persistent-conn", argument: "none" },
  { tag: "nosort",                      long: "nosort",          argument: "none" },
  { tag: "sort",                        long: "sort",            argument: "none" },
  { tag: "exact",           short: "X", long: "exact",           argument: "none" },
  { tag: "ipv6",            short: "6", long: "ipv6",            argument: "none" },
  { tag: "ops",             short: "o", long: "ops",             argument: "none" },
  { tag: "pe",                          long: "pe",              argument: "required" },
  { tag: "sched-flags",     short: "b", long: "sched-flags",     argument: "required" },
  { tag: "mcast-group",                 long: "mcast-group",     argument: "required" },
  { tag: "mcast-port",                  long: "mcast-port",      argument: "required" },
  { tag: "mcast-ttl",                   long: "mcast-ttl",       argument: "required" },
  { tag: "sync-maxlen",                 long: "sync-maxlen",     argument: "required" },
  { tag: "tun-info",                    long: "tun-info",        argument: "none" },
  { tag: "tun-type",                    long: "tun-type",        argument: "required" },
  { tag: "tun-port",                    long: "tun-port",        argument: "required" },
  { tag: "tun-nocsum",                  long: "tun-nocsum",      argument: "none" },
  { tag: "tun-csum",                    long: "tun-csum",        argument: "none" },
  { tag: "tun-remcsum",                 long: "tun-remcsum",     argument: "none" },
];

const COMMANDS: ReadonlySet<Tag> = new Set<Tag>([
  ...(Object.keys(LEGALITY) as CommandName[]),
  "help",
  "version",
]);

export function isCommand(tag: Tag): tag is CommandTag {
  return COMMANDS.has(tag);
}
