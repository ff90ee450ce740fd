/** Reads what `ipvsadm -ln` and `ipvsadm -lnc` print, as their reader would. */

export interface ListedDestination {
  /** `address:port` */
  readonly at: string;
  readonly forward: string;
  readonly weight: number;
  readonly active: number;
  readonly inactive: number;
}

export interface ListedService {
  readonly protocol: string;
  /** `address:port` */
  readonly at: string;
  readonly scheduler: string;
  readonly destinations: readonly ListedDestination[];
}

export interface ListedConnection {
  readonly protocol: string;
  readonly expiresInS: number;
  readonly state: string;
  readonly client: string;
  readonly virtual: string;
  readonly destination: string;
}

const SERVICE = /^(TCP|UDP|SCTP) +(\S+) (\S+)/;
const DESTINATION = /^ {2}-> (\S+) +(\S+) +(\d+) +(\d+) +(\d+)/;
const CONNECTION = /^(\S+) +(\d+):(\d\d) +(\S+) +(\S+) +(\S+) +(\S+)/;

export function parseServices(listing: string): readonly ListedService[] {
  const services: (ListedService & { destinations: ListedDestination[] })[] = [];
  for (const line of listing.split("\n")) {
    const [, protocol, at, scheduler] = SERVICE.exec(line) ?? [];
    if (protocol !== undefined && at !== undefined && scheduler !== undefined) {
      services.push({ protocol, at, scheduler, destinations: [] });
      continue;
    }
    const [, real, forward, ...numbers] = DESTINATION.exec(line) ?? [];
    if (real === undefined || forward === undefined) continue;
    const [weight = 0, active = 0, inactive = 0] = numbers.map(Number);
    services.at(-1)?.destinations.push({ at: real, forward, weight, active, inactive });
  }
  return services;
}

export function parseConnections(listing: string): readonly ListedConnection[] {
  return listing.split("\n").flatMap((line) => {
    const [, protocol, minutes, seconds, state, client, virtual, destination] =
      CONNECTION.exec(line) ?? [];
    if (protocol === undefined || state === undefined || client === undefined) return [];
    if (virtual === undefined || destination === undefined) return [];
    const expiresInS = Number(minutes) * 60 + Number(seconds);
    return [{ protocol, expiresInS, state, client, virtual, destination }];
  });
}

/** The states that ActiveConn counts: ip_vs_proto_tcp.c, tcp_state_active_table. */
const ACTIVE_STATES = new Set(["ESTABLISHED", "SYN_SENT", "SYN_RECV", "SYNACK"]);

export function isActive({ state }: ListedConnection): boolean {
  return ACTIVE_STATES.has(state);
}

/** How long a TCP connection rests in a state before its entry goes, seconds: ip_vs_proto_tcp.c, tcp_timeouts. */
// biome-ignore format: a table
const REST_S: Readonly<Record<string, number>> = {
  ESTABLISHED: 900, SYN_SENT: 120, SYN_RECV:   60, FIN_WAIT: 120, TIME_WAIT: 120,
  CLOSE:        10, LAST_ACK:  30, CLOSE_WAIT: 60, LISTEN:   120, SYNACK:    120,
};

/** Whether a connection's timer can be one of its state's. */
export function hasPlausibleTimer({ state, expiresInS }: ListedConnection): boolean {
  return expiresInS <= (REST_S[state] ?? 0);
}

/** `9 FIN_WAIT, 1 ESTABLISHED` */
export function countBy(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => `${count} ${value}`).join(", ") || "none";
}
