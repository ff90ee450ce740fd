/** The keys of keepalived's checkers, as tables. */
import { CHECK_DEFAULTS, type CheckDefaults } from "./check-defaults.ts";
import type { KeyTable } from "./read-keys.ts";
import * as takes from "./values.ts";

/** What all checkers that connect have in common (keepalived.conf(5), "generic connection options"). */
export interface ConnectionValues extends CheckDefaults {
  readonly connectAddress: string;
  readonly connectPort: number;
  readonly bindAddress: string;
  readonly bindPort: number;
  readonly bindInterface: string;
  readonly mark: number;
}

export interface HttpValues extends ConnectionValues {
  readonly version: string;
  readonly isFastRecovery: boolean;
  readonly virtualHost: string;
  readonly sendsServerName: boolean;
  readonly serverName: string;
}

export interface UrlValues {
  readonly path: string;
  readonly digest: string;
  readonly status: readonly (readonly [number, number])[];
  readonly virtualHost: string;
  readonly user: string;
  readonly password: string;
  readonly regex: string;
  readonly isForbidden: boolean;
  readonly regexOptions: readonly string[];
}

export interface SmtpValues extends ConnectionValues {
  readonly helo: string;
}

export interface DnsValues extends ConnectionValues {
  readonly type: string;
  readonly name: string;
}

export interface UdpValues extends ConnectionValues {
  readonly payload: string;
  readonly reply: string;
  readonly leastLength: number;
  readonly mostLength: number;
}

export interface MiscValues extends CheckDefaults {
  readonly script: takes.Script;
  readonly timeout: number;
  readonly isDynamic: boolean;
  readonly user: string;
}

export interface FileValues extends CheckDefaults {
  readonly trackFile: string;
  readonly isDynamic: boolean;
  readonly multiplier: number;
}

const INT_MAX = 0x7fff_ffff;

// biome-ignore format: a table
const OWN_TIMING = {
  ...CHECK_DEFAULTS,
  // As it was called before 1.3.6.
  nb_get_retry:     { to: "retry", takes: takes.integer(0, INT_MAX) },
  log_all_failures: { dropped: "changes are logged, and the metrics have every failure" },
} as const satisfies KeyTable<CheckDefaults>;

// biome-ignore format: a table
const CONNECTION = {
  ...OWN_TIMING,
  connect_ip:   { to: "connectAddress", takes: takes.address },
  connect_port: { to: "connectPort",    takes: takes.integer(1, 0xffff) },
  bindto:       { to: "bindAddress",    takes: takes.address },
  bind_port:    { to: "bindPort",       takes: takes.integer(1, 0xffff) },
  bind_if:      { to: "bindInterface",  takes: takes.word },
  fwmark:       { to: "mark",           takes: takes.integer(0, 0xffff_ffff) },
} as const satisfies KeyTable<ConnectionValues>;

export const PLAIN: KeyTable<ConnectionValues> = CONNECTION;

// biome-ignore format: a table
export const HTTP: KeyTable<HttpValues> = {
  ...CONNECTION,
  http_protocol: { to: "version",         takes: takes.oneOf("1.0", "1.0C", "1.1") },
  fast_recovery: { to: "isFastRecovery",  takes: takes.flag },
  virtualhost:   { to: "virtualHost",     takes: takes.text },
  // By TLS the server is told the host that is asked for, always.
  enable_sni:    { to: "sendsServerName", takes: takes.flag },
  sni_name:      { to: "serverName",      takes: takes.word },
  tls_compliant: { dropped: "an answer that ends without TLS's own end is taken, too" },
  url:           { block: true },
};

const REGEX_OPTIONS = [
  "allow_empty_class",
  "alt_bsux",
  "auto_callout",
  "caseless",
  "dollar_endonly",
  "dotall",
  "dupnames",
  "extended",
  "firstline",
  "match_unset_backref",
  "multiline",
  "never_ucp",
  "never_utf",
  "no_auto_capture",
  "no_auto_possess",
  "no_dotstar_anchor",
  "no_start_optimize",
  "ucp",
  "ungreedy",
  "utf",
  "never_backslash_c",
  "alt_circumflex",
  "alt_verbnames",
  "use_offset_limit",
] as const;

// biome-ignore format: a table
export const URL: KeyTable<UrlValues> = {
  path:             { to: "path",         takes: takes.text },
  digest:           { to: "digest",       takes: takes.digest },
  status_code:      { to: "status",       takes: takes.statusCodes },
  virtualhost:      { to: "virtualHost",  takes: takes.text },
  username:         { to: "user",         takes: takes.text },
  password:         { to: "password",     takes: takes.text },
  regex:            { to: "regex",        takes: takes.text },
  regex_no_match:   { to: "isForbidden",  takes: takes.flag },
  regex_options:    { to: "regexOptions", takes: takes.words(...REGEX_OPTIONS) },
  regex_min_offset: { dropped: "the whole answer is searched" },
  regex_max_offset: { dropped: "the whole answer is searched" },
  regex_stack:      { dropped: "expressions need no stack of their own" },
  tls_compliant:    { dropped: "an answer that ends without TLS's own end is taken, too" },
};

// biome-ignore format: a table
export const SMTP: KeyTable<SmtpValues> = {
  ...CONNECTION,
  helo_name: { to: "helo", takes: takes.text },
  // Before 2.0 what it connects to stood in a block of its own.
  host:      { block: true },
};

// biome-ignore format: a table
export const DNS: KeyTable<DnsValues> = {
  ...CONNECTION,
  type: { to: "type", takes: takes.oneOf("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA") },
  name: { to: "name", takes: takes.word },
};

// biome-ignore format: a table
export const UDP: KeyTable<UdpValues> = {
  ...CONNECTION,
  payload:          { to: "payload",     takes: takes.hexadecimal(false) },
  require_reply:    { to: "reply",       takes: takes.hexadecimal(true) },
  min_reply_length: { to: "leastLength", takes: takes.integer(0, 0xffff) },
  max_reply_length: { to: "mostLength",  takes: takes.integer(0, 0xffff) },
};

// biome-ignore format: a table
export const MISC: KeyTable<MiscValues> = {
  ...OWN_TIMING,
  misc_path:    { to: "script",    takes: takes.script },
  misc_timeout: { to: "timeout",   takes: takes.seconds(0.000_001) },
  misc_dynamic: { to: "isDynamic", takes: takes.flag },
  user:         { to: "user",      takes: takes.rest },
};

// biome-ignore format: a table
export const FILE: KeyTable<FileValues> = {
  ...OWN_TIMING,
  track_file: { to: "trackFile",  takes: takes.word },
  dynamic:    { to: "isDynamic",  takes: takes.flag },
  weight:     { to: "multiplier", takes: takes.multiplier },
};

export const CHECKER_NAMES = [
  "TCP_CHECK",
  "HTTP_GET",
  "SSL_GET",
  "SMTP_CHECK",
  "DNS_CHECK",
  "MISC_CHECK",
  "UDP_CHECK",
  "PING_CHECK",
  "FILE_CHECK",
  "BFD_CHECK",
] as const;
