/** How the benchmark's client asks, for some seconds. */

export const LOADS = ["keep-alive", "connection-per-request", "download"] as const;
export type Load = (typeof LOADS)[number];

export const CONNECTIONS = 64;

/** Where what is asked for is served: a line of text, and 100 MB. */
export const PORTS = { text: 80, download: 81 } as const;

export function portOf(load: Load): number {
  return load === "download" ? PORTS.download : PORTS.text;
}

export function wrk(url: string, load: Load, seconds: number): string {
  const close = load === "connection-per-request" ? "-H 'Connection: close' " : "";
  const connections = load === "download" ? 1 : CONNECTIONS;
  return `wrk -t 1 -c ${connections} -d ${seconds} --timeout 20 ${close}${url}`;
}

/** What was carried: requests; of downloads megabytes. */
export interface Carried {
  readonly amount: number;
  readonly perSecond: number;
  /** wrk's: sockets that failed or timed out, and answers other than 2xx and 3xx. */
  readonly errors: number;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const MEGABYTE = 1_000_000;

/** Reads what wrk printed. */
export function carriedIn(output: string, load: Load): Carried {
  const errors = errorsIn(output);
  if (load === "download") {
    const [, read, readUnit] = /, ([\d.]+)([KMG]?)B read/.exec(output) ?? [];
    const [, rate, rateUnit] = /Transfer\/sec:\s*([\d.]+)([KMG]?)B/.exec(output) ?? [];
    const megabytes = (value = "0", unit = ""): number => (Number(value) * UNITS[unit]!) / MEGABYTE;
    return { amount: megabytes(read, readUnit), perSecond: megabytes(rate, rateUnit), errors };
  }
  return {
    amount: Number(/(\d+) requests in/.exec(output)?.[1] ?? 0),
    perSecond: Number(/Requests\/sec:\s*([\d.]+)/.exec(output)?.[1] ?? 0),
    errors,
  };
}

function errorsIn(output: string): number {
  const sockets = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    output,
  );
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(output);
  return [...(sockets?.slice(1) ?? []), refused?.[1] ?? "0"].reduce(
    (sum, count) => sum + Number(count),
    0,
  );
}
