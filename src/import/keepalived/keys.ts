/** The keys of keepalived's virtual_server and real_server blocks, as tables. Those of checkers: checker-keys.ts. */
import type { ForwardingContent } from "../../configuration/schema.ts";
import { CHECK_DEFAULTS, type CheckDefaults } from "./check-defaults.ts";
import { CHECKER_NAMES } from "./checker-keys.ts";
import type { Key, KeyTable } from "./read-keys.ts";
import * as takes from "./values.ts";

/** What real servers have of their virtual server when they do not say it. */
interface ServerDefaults extends CheckDefaults {
  readonly weight: number;
  readonly method: ForwardingContent;
  readonly isInhibited: boolean;
  readonly virtualHost: string;
  readonly isMailed: boolean;
}

export interface VirtualServerValues extends ServerDefaults {
  readonly family: "inet" | "inet6";
  readonly scheduler: string;
  readonly flags: readonly string[];
  readonly isOnePacket: boolean;
  readonly persistence: number;
  readonly granularity: string;
  readonly persistenceEngine: "sip";
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly quorum: number;
  readonly hysteresis: number;
  readonly sorry: { readonly address: string; readonly port: string | undefined };
  readonly quorumUp: takes.Script;
  readonly quorumDown: takes.Script;
  readonly isSorryInhibited: boolean;
  readonly sorryMethod: ForwardingContent;
  readonly name: string;
  readonly isToldAtEnd: boolean;
}

export interface RealServerValues extends ServerDefaults {
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  readonly notifyUp: takes.Script;
  readonly notifyDown: takes.Script;
}

const INT_MAX = 0x7fff_ffff;
const PERSISTENCE_MAX = 2_678_400;
/** keepalived's IPVS_SVC_PERSISTENT_TIMEOUT. */
const PERSISTENCE_SECONDS = 360;

const REASONS = {
  snmp: "Sluice has no SNMP: its metrics are Prometheus'",
  suspend: "checks go on also while this host has no VIP",
  failover: "a service has one set of servers, and a sorry server when too few of them are up",
  dpvs: "it is DPVS's: Sluice has neither FULLNAT nor SYN proxies",
} as const;

const aFlag: Key<VirtualServerValues> = {
  to: "flags",
  takes: ({ words }) => ({ value: words[0] }),
  repeated: "all",
};

/** Also with no number: then six minutes; 0 is none. */
const persistence: takes.Taker = ({ words }) =>
  words.length < 2 ? { value: PERSISTENCE_SECONDS } : takes.integerIn(words[1], 0, PERSISTENCE_MAX);

const sorry: takes.Taker = (statement) => {
  const taken = takes.address(statement);
  if ("why" in taken) return taken;
  return { value: { address: taken.value, port: statement.words[2] } };
};

// biome-ignore format: a table
const SERVER_DEFAULTS = {
  ...CHECK_DEFAULTS,
  weight:             { to: "weight",      takes: takes.integer(0, 0xffff) },
  lb_kind:            { to: "method",      takes: takes.forwarding },
  lvs_method:         { to: "method",      takes: takes.forwarding },
  inhibit_on_failure: { to: "isInhibited", takes: takes.flag },
  virtualhost:        { to: "virtualHost", takes: takes.text },
  smtp_alert:         { to: "isMailed",    takes: takes.flag },
  snmp_name:          { dropped: REASONS.snmp },
} as const satisfies KeyTable<ServerDefaults>;

// biome-ignore format: a table
export const VIRTUAL_SERVER: KeyTable<VirtualServerValues> = {
  ...SERVER_DEFAULTS,
  ip_family:               { to: "family",            takes: takes.oneOf("inet", "inet6") },
  lb_algo:                 { to: "scheduler",         takes: takes.word },
  lvs_sched:               { to: "scheduler",         takes: takes.word },
  hashed:                  { dropped: "the kernel's own mark, without a meaning" },
  "flag-1":                aFlag,
  "flag-2":                aFlag,
  "flag-3":                aFlag,
  "sh-port":               aFlag,
  "sh-fallback":           aFlag,
  "mh-port":               aFlag,
  "mh-fallback":           aFlag,
  ops:                     { to: "isOnePacket",       takes: takes.flag },
  nat_mask:                { dropped: "keepalived itself takes no notice of it" },
  net_mask:                { dropped: "keepalived itself does not know it" },
  failover_threshold:      { dropped: REASONS.failover },
  failover_up:             { dropped: REASONS.failover },
  failover_down:           { dropped: REASONS.failover },
  backup_real_server:      { dropped: REASONS.failover },
  persistence_timeout:     { to: "persistence",       takes: persistence },
  persistence_granularity: { to: "granularity",       takes: takes.word },
  persistence_engine:      { to: "persistenceEngine", takes: takes.oneOf("sip") },
  protocol:                { to: "protocol",          takes: takes.oneOf("TCP", "UDP", "SCTP") },
  ha_suspend:              { dropped: REASONS.suspend },
  quorum:                  { to: "quorum",            takes: takes.integer(1, INT_MAX) },
  hysteresis:              { to: "hysteresis",        takes: takes.integer(0, INT_MAX) },
  quorum_up:               { to: "quorumUp",          takes: takes.script },
  quorum_down:             { to: "quorumDown",        takes: takes.script },
  omega:                   { to: "isToldAtEnd",       takes: takes.flag },
  sorry_server:            { to: "sorry",             takes: sorry },
  sorry_server_inhibit:    { to: "isSorryInhibited",  takes: takes.flag },
  sorry_server_lvs_method: { to: "sorryMethod",       takes: takes.forwarding },
  laddr_group_name:        { dropped: REASONS.dpvs },
  syn_proxy:               { dropped: REASONS.dpvs },
  real_server:             { block: true },
};

// biome-ignore format: a table
export const REAL_SERVER: KeyTable<RealServerValues> = {
  ...SERVER_DEFAULTS,
  uthreshold:  { to: "upperThreshold", takes: takes.integer(0, INT_MAX) },
  lthreshold:  { to: "lowerThreshold", takes: takes.integer(0, INT_MAX) },
  notify_up:   { to: "notifyUp",       takes: takes.script },
  notify_down: { to: "notifyDown",     takes: takes.script },
  ...Object.fromEntries(CHECKER_NAMES.map((name) => [name, { block: true }])),
};
