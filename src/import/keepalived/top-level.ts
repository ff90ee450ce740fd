/** What stands at the top of a keepalived.conf beside virtual servers: what Sluice has of it, and what not, and why. */
import { nearest } from "../../base/nearest.ts";
import type { ImportedServers } from "../model.ts";
import type { ReadingOptions } from "./lines.ts";
import { type Mailing, MailReader } from "./mail.ts";
import type { Statement } from "./statements.ts";
import { integerIn } from "./values.ts";

const VRRP = "Sluice has no VRRP: let keepalived go on with this part (docs/migration.md)";
const ADDRESSES = "Sluice sets no addresses, routes or rules of the host";
const ITSELF = "it is about keepalived's own processes";

// biome-ignore format: a table
const REASONS: Readonly<Record<string, string>> = {
  vrrp_instance:            VRRP,
  vrrp_sync_group:          VRRP,
  vrrp_script:              VRRP,
  vrrp_track_process:       VRRP,
  vrrp_track_file:          VRRP,
  track_process:            VRRP,
  garp_group:               VRRP,
  static_track_group:       VRRP,
  linkbeat_interfaces:      VRRP,
  linkbeat_use_polling:     VRRP,
  interface_up_down_delays: VRRP,
  static_ipaddress:         ADDRESSES,
  static_routes:            ADDRESSES,
  static_rules:             ADDRESSES,
  bfd_instance:             "Sluice has no BFD: a tcp or an icmp check every second comes near",
  SSL:                      "checks by TLS show no certificate of their own",
  net_namespace:            "start sluice daemon in that namespace: ip netns exec NAME sluice daemon",
  net_namespace_ipvs:       "Sluice checks servers from where it balances",
  namespace_with_ipsets:    ITSELF,
  instance:                 ITSELF,
  use_pid_dir:              ITSELF,
  child_wait_time:          ITSELF,
  conf_id:                  ITSELF,
  // DPVS has a keepalived of its own.
  local_address_group:      "Sluice has no FULLNAT: replies of masqueraded servers come by the director",
  virtual_server:           "",
  virtual_server_group:     "",
  global_defs:              "",
  track_file:               "",
};

/** Why what a keyword at the top introduces is not carried. */
export function reasonOf(keyword: string): string {
  if (Object.hasOwn(REASONS, keyword)) return REASONS[keyword]!;
  const meant = nearest(keyword, Object.keys(REASONS));
  return meant === undefined
    ? `there is no ${keyword} at the top (does a } before it stand too early?)`
    : `there is no ${keyword}: did you mean ${meant}?`;
}

/** By how a key of global_defs begins; the first that fits. */
// biome-ignore format: a table
const GLOBAL_REASONS: readonly (readonly [begins: RegExp, why: string])[] = [
  [/^(vrrp|default_interface|dynamic_interfaces|garp|nftables(?!_ipvs)|disable_local_igmp|fifo_write)/, VRRP],
  [/^(smtp_alert_vrrp|no_email_faults)/, VRRP],
  [/^(snmp|enable_snmp|enable_traps|enable_dbus|dbus)/, "Sluice has no SNMP and no DBus: its metrics are Prometheus'"],
  [/(notify|script)/, "programs of notify in sluice.yaml run as the daemon does: docs/log-events.md"],
  [/^lvs_sync_daemon/, "connections are not copied to other hosts"],
  [/^lvs_flush/, "services that are in no file are removed by sluice apply, unless it says others: keep"],
  [/^lvs_notify/, "a program of notify in sluice.yaml gets the same words for each event: docs/log-events.md"],
  [/^nftables_ipvs/, "each address becomes a service of its own"],
  [/^checker_log/, "changes are logged, and the metrics have every failure"],
];

interface Global {
  readonly timeouts: ImportedServers["timeouts"];
  readonly mailing: Mailing;
}

/** `lvs_timeouts` and mail are what Sluice has of global_defs. */
export function readGlobal(
  statements: readonly Statement[],
  { notes, id }: Pick<ReadingOptions, "notes" | "id">,
): Global {
  const mail = new MailReader(notes);
  let timeouts: ImportedServers["timeouts"] = {};
  for (const statement of statements.flatMap((each) => each.block ?? [])) {
    const { at, text, words, block = [] } = statement;
    const [keyword = ""] = words;
    if (mail.take(statement)) continue;
    if (keyword === "lvs_timeouts") {
      timeouts = { ...timeouts, ...timeoutsIn(words, (why) => notes.dropped(at, text, why)) };
      continue;
    }
    const [, why = ITSELF] = GLOBAL_REASONS.find(([begins]) => begins.test(keyword)) ?? [];
    const inside = block.map((each) => each.text).join(" ");
    notes.dropped(at, inside === "" ? text : `${text} { ${inside} }`, why);
  }
  return { timeouts, mailing: mail.read(id) };
}

const TIMEOUTS = { tcp: "tcp", tcpfin: "tcpFin", udp: "udp" } as const;
const TIMEOUT_MAX = 2_678_400;

/** `lvs_timeouts tcp N tcpfin N udp N`, any of them. */
function timeoutsIn(
  words: readonly string[],
  complain: (why: string) => void,
): ImportedServers["timeouts"] {
  const timeouts: Record<string, number> = {};
  for (let index = 1; index < words.length; index += 2) {
    const name = words[index]!;
    const value = integerIn(words[index + 1], 1, TIMEOUT_MAX);
    if (!Object.hasOwn(TIMEOUTS, name)) complain(`expected tcp, tcpfin or udp, got ${name}`);
    else if ("why" in value) complain(`${name}: ${value.why}`);
    else timeouts[TIMEOUTS[name as keyof typeof TIMEOUTS]] = value.value as number;
  }
  return timeouts;
}
