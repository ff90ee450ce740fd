/** How both sides word an entry, a service and a server, so that lines can be compared. */

export interface ConnectionFacts {
  readonly protocol: string;
  readonly client: string;
  readonly virtual: string;
  readonly destination: string;
  readonly state: string;
  readonly expiresInSeconds: number;
  readonly data?: string | undefined;
}

/** The time comes last, behind the only "expires": compare.ts allows it a second. */
export function connectionLine(facts: ConnectionFacts): string {
  const { protocol, client, virtual, destination, state, expiresInSeconds, data } = facts;
  const suffix = data === undefined ? "" : ` data ${data}`;
  return `${protocol} ${client} > ${virtual} > ${destination} ${state}${suffix} expires ${expiresInSeconds}`;
}

export function serviceLine(protocol: string, at: string, scheduler: string): string {
  return `${protocol} ${at} ${scheduler}`;
}

export interface ServerFacts {
  readonly at: string;
  readonly method: string;
  readonly weight: number;
  readonly active: number;
  readonly inactive: number;
}

export function serverLine({ at, method, weight, active, inactive }: ServerFacts): string {
  return `  ${at} ${method} weight ${weight} active ${active} inactive ${inactive}`;
}

/** Connections, packets in and out, bytes in and out; or each of them per second. */
export function totalsLine(what: "counters" | "rates", values: readonly number[]): string {
  return `${what} ${values.join(" ")}`;
}
