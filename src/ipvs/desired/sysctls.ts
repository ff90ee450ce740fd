/**
 * The knobs of net.ipv4.vs that the director obeys: the kernel's names, defaults and ranges (ip_vs_ctl.c, vs_vars[]
 * and Documentation/networking/ipvs-sysctl.rst). Values are whole numbers, switches among them: 0 is off, anything
 * else is on, as in the kernel.
 */

export interface SysctlRule {
  readonly default: number;
  /** Where the kernel refuses what lies outside; without it any 32-bit number is taken. */
  readonly range?: readonly [least: number, most: number];
}

/** 0 off, 1 on by itself when memory is short, 2 on by itself just now, 3 always on. */
const DEFENCE: SysctlRule = { default: 0, range: [0, 3] };
/** Seconds that as ticks (100 a second) fit into 32 bits: proc_dointvec_jiffies(). */
const EXPIRATION: SysctlRule = { default: 86_400, range: [-21_474_836, 21_474_836] };
const OFF: SysctlRule = { default: 0 };
const ON: SysctlRule = { default: 1 };

export const SYSCTL_RULES = {
  /** Pages of free memory below which defence begins. */
  amemthresh: { default: 1024 },
  /** With drop_packet=3, one in so many packets that would open a connection is dropped. */
  am_droprate: { default: 10 },
  /** Leaves packets alone while a backup synchronisation daemon runs. */
  backup_only: OFF,
  /** A mark's packets that no server may take go on to where they were sent. */
  cache_bypass: OFF,
  /** 0: a SYN on an old entry keeps its server. Non-zero: TIME_WAIT and CLOSE reschedule. Bit 2: also DR's FIN_WAIT. */
  conn_reuse_mode: ON,
  /** What goes on passes the host's output and postrouting chains, where connection tracking and NAT see it. */
  conntrack: OFF,
  /** Gives up entries that look like those of an attack when memory is short. */
  drop_entry: DEFENCE,
  drop_packet: DEFENCE,
  /** Entries of removed destinations go instead of dropping packets; SYNs leave destinations of weight 0. */
  expire_nodest_conn: OFF,
  /** A persistence template whose destination has weight 0 is not used. */
  expire_quiescent_template: OFF,
  /** What a tunnel that ends here brought is not scheduled. */
  ignore_tunneled: OFF,
  /** Seconds that lblc and lblcr keep what nobody asks for. */
  lblc_expiration: EXPIRATION,
  lblcr_expiration: EXPIRATION,
  /** Tell a real server that sends from a NAT service's port without an entry that nobody listens. */
  nat_icmp_send: OFF,
  /** Tunnels copy the inner DF bit and refuse what does not fit. */
  pmtu_disc: ON,
  /** 0: counters and rates that listings show stand still. */
  run_estimation: ON,
  /** ICMP errors of no connection are scheduled by the packet that they quote. */
  schedule_icmp: OFF,
  /** TCP's transition table against SYN floods. */
  secure_tcp: DEFENCE,
  /** Any SCTP packet but ABORT may open a connection. */
  sloppy_sctp: OFF,
  /** Any TCP packet but RST may open a connection. */
  sloppy_tcp: OFF,
  /** A reply whose source became the service's is routed anew, by that source. */
  snat_reroute: ON,
} as const satisfies Record<string, SysctlRule>;

export type SysctlName = keyof typeof SYSCTL_RULES;

export type Sysctls = Readonly<Record<SysctlName, number>>;

export const DEFAULT_SYSCTLS = Object.fromEntries(
  Object.entries(SYSCTL_RULES).map(([name, rule]) => [name, rule.default]),
) as Sysctls;

interface FixedSysctl {
  /** What the kernel has by default. */
  readonly value: number | string;
  /** Why no other value is taken. */
  readonly why: string;
}

const NO_SYNCHRONISATION = "Sluice has no connection synchronisation";
const NO_ESTIMATION_THREADS = "Sluice has no threads of its own for statistics";

/** What the kernel has besides and Sluice has no use for: listed, and never other than it is. */
// biome-ignore format: a table
export const FIXED_SYSCTLS = {
  debug_level:         { value: 0,       why: "Sluice has no messages in the kernel's log" },
  est_cpulist:         { value: "",      why: NO_ESTIMATION_THREADS },
  est_nice:            { value: 0,       why: NO_ESTIMATION_THREADS },
  sync_persist_mode:   { value: 0,       why: NO_SYNCHRONISATION },
  sync_ports:          { value: 1,       why: NO_SYNCHRONISATION },
  sync_qlen_max:       { value: 0,       why: NO_SYNCHRONISATION },
  sync_refresh_period: { value: 0,       why: NO_SYNCHRONISATION },
  sync_retries:        { value: 0,       why: NO_SYNCHRONISATION },
  sync_sock_size:      { value: 0,       why: NO_SYNCHRONISATION },
  sync_threshold:      { value: "3\t50", why: NO_SYNCHRONISATION },
  sync_version:        { value: 1,       why: NO_SYNCHRONISATION },
} as const satisfies Record<string, FixedSysctl>;
