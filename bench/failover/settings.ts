/** What a failover is measured with, on both balancers. */

/** How a server ends. */
export const ENDS = ["process", "interface", "machine"] as const;
export type End = (typeof ENDS)[number];

export interface Settings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
}

export const SETTINGS: readonly Settings[] = [
  { intervalMs: 1_000, timeoutMs: 1_000, fall: 3 },
  { intervalMs: 200, timeoutMs: 200, fall: 2 },
];
export const RUNS = 5;
export const EVERY_MS = 10;
export const PATIENCE_MS = 800;
/** Without a failure for so long, all is over. */
export const QUIET_MS = 1_500;
export const SETTLED_MAX_MS = 30_000;

export const BALANCERS = ["sluice", "keepalived"] as const;

export interface FailoverFigures {
  readonly balancer: (typeof BALANCERS)[number];
  readonly settings: Settings;
  readonly end: End;
  /** From the server's end to the last new connection that got nothing: the median and the longest. */
  readonly outMs: number;
  readonly outMostMs: number;
  /** Of new connections meanwhile, how many of a hundred got nothing. */
  readonly failedPercent: number;
  /** From the server's return to its first connection: the median. */
  readonly backMs: number;
}

export interface Sample {
  readonly outMs: number;
  readonly failedPercent: number;
  readonly backMs: number;
}
