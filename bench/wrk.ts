/** How the benchmark's client asks, for some seconds. */

export const LOADS = ["keep-alive", "connection-per-request"] as const;
export type Load = (typeof LOADS)[number];

export const CONNECTIONS = 64;

export function wrk(url: string, load: Load, seconds: number): string {
  const close = load === "keep-alive" ? "" : "-H 'Connection: close' ";
  return `wrk -t 1 -c ${CONNECTIONS} -d ${seconds} ${close}${url}`;
}
