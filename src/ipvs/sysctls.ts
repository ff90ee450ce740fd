/** The knobs of net.ipv4.vs that change what the director does, with the kernel's names and defaults. */
export interface Sysctls {
  /** 0: a SYN on an old entry keeps its server. Non-zero: TIME_WAIT and CLOSE reschedule. Bit 2: also DR's FIN_WAIT. */
  readonly conn_reuse_mode: number;
  /** Entries of removed destinations go instead of dropping packets; SYNs leave destinations of weight 0. */
  readonly expire_nodest_conn: boolean;
  /** A persistence template whose destination has weight 0 is not used. */
  readonly expire_quiescent_template: boolean;
  /** Tell a real server that sends from a NAT service's port without an entry that nobody listens. */
  readonly nat_icmp_send: boolean;
  /** Tunnels copy the inner DF bit and refuse what does not fit. */
  readonly pmtu_disc: boolean;
  /** Any TCP packet but RST may open a connection. */
  readonly sloppy_tcp: boolean;
}

export const DEFAULT_SYSCTLS: Sysctls = {
  conn_reuse_mode: 1,
  expire_nodest_conn: false,
  expire_quiescent_template: false,
  nat_icmp_send: false,
  pmtu_disc: true,
  sloppy_tcp: false,
};
