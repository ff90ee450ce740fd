/** The seam of health checks: what one kind of check is asked, and what it answers. */

/** How a probe's socket is made, where the host would not make it so by itself. */
export interface ProbeSource {
  /** SO_MARK: the firewall mark of what is sent. */
  readonly mark?: number;
  /** The address that it comes from. */
  readonly address?: string;
  /** A local port; undefined: any. */
  readonly port?: number;
}

/** Where a probe goes, and how its socket is made. */
export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  /** For probes that do not go as the host's own connections do. */
  readonly source?: ProbeSource;
}

/** What one probe found. */
export interface Outcome {
  readonly up: boolean;
  /** In words, for people: `connected`, `status 503, expected 200 to 299`. */
  readonly why: string;
  /** What the destination's weight should be, where the check tells (exec, file). */
  readonly weight?: number;
  /** It is up, but somebody should know: a certificate that will expire. */
  readonly warning?: string;
}

/**
 * One kind of check. `settings` are what its part of the schema gives. Never rejects for what a server does: an error is
 * an Outcome that says why. The signal ends it, at the end of its time; whatever it opened is closed when it resolves.
 */
export type Checker<Settings> = (
  target: ProbeTarget,
  settings: Settings,
  signal: AbortSignal,
) => Promise<Outcome>;
