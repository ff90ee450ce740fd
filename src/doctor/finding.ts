/** What a doctor says of one thing that is wrong. */

export interface Finding {
  /** A name for programs, and for docs/doctor.md. */
  readonly code: string;
  /** A service, a server, an interface or the host. */
  readonly about: string;
  /** What is wrong. */
  readonly says: string;
  /** What shows it: what was read, asked or heard. */
  readonly evidence: string;
  /** What it leads to. */
  readonly leadsTo: string;
  readonly remedy: Remedy;
}

/** Commands for this host, which --fix runs, or advice where it is not for this host to be changed or not for us to choose. */
export type Remedy =
  | { readonly kind: "commands"; readonly lines: readonly string[] }
  | { readonly kind: "advice"; readonly text: string };

export function commands(...lines: readonly string[]): Remedy {
  return { kind: "commands", lines };
}

export function advice(text: string): Remedy {
  return { kind: "advice", text };
}

/** What could not be looked at, and why: nothing that is known to be wrong. */
export interface Skipped {
  readonly what: string;
  readonly why: string;
}

export interface Examination {
  readonly findings: readonly Finding[];
  readonly skipped: readonly Skipped[];
}
