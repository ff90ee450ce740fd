/**
 * What a case is: steps, as data, that every side carries out and reports on alike.
 *
 * Addresses and marks that no other case may have are written as VIP, VIP6, FAR, FAR6 (not the director's own), CLIENT,
 * CLIENT6, MARK and MARK2 (which, unlike MARK, brings no packets to the director): removed servers live on in the kernel for minutes, and a service that is added again would revive them; NAT's replies are told apart by client.
 */

export type Step =
  /** A command line of ipvsadm. Its exit code, stdout and stderr are compared. */
  | { readonly kind: "ipvsadm"; readonly words: readonly string[]; readonly stdin: string }
  /** Exactly these rules, a line each, and the default timeouts, are in force from here on. */
  | { readonly kind: "begin"; readonly rules: string }
  /** `ipvsadm -S -n`, compared. */
  | { readonly kind: "rules" }
  /** A packet (packets.ts reads it) arrives. What leaves is compared. */
  | { readonly kind: "packet"; readonly packet: string }
  /** A packet arrives, and then time passes until the estimator's next round, which shows what it counted. */
  | { readonly kind: "round"; readonly packet: string }
  /** `value`, byte for byte, is written into the file of net.ipv4.vs.`name`. What comes of it, and the value then. */
  | { readonly kind: "sysctl"; readonly name: string; readonly value: string }
  /** A command line of procps' sysctl, or of `sluice sysctl`. Its exit code, stdout and stderr are compared. */
  | { readonly kind: "sysctl-command"; readonly words: readonly string[]; readonly stdin: string }
  /**
   * These rules of iptables' chain PREROUTING and no others of this case's are in force from here on, in its words: -s,
   * -d, -p, --sports, --dports (of multiport), --set-mark (of MARK). Each that matches sets the mark, so the last decides.
   */
  | { readonly kind: "marks"; readonly rules: readonly string[] }
  /** Time passes, in milliseconds. */
  | { readonly kind: "wait"; readonly ms: number }
  /** The connection table's entries of this case's services are compared. */
  | { readonly kind: "connections" }
  /** Weight, active and inactive connections of this case's servers are compared. */
  | { readonly kind: "services" }
  /** The counters and rates of everything together, as the last round left them, are compared. */
  | { readonly kind: "totals" };

/**
 * How much is compared: all bytes of each frame that leaves, or only which server gets it. Where chance decides which
 * server that is ("shares"), how many each gets; where it decides which of many entries stay ("survivors"), whether of
 * about a hundred in one state all are left, some or none.
 */
export type Comparison = "frames" | "servers" | "shares" | "survivors";

/** An expected number of packets, and its standard deviation. */
export interface Share {
  readonly mean: number;
  readonly deviation: number;
}

export interface Needs {
  /** The version of Linux, as "6.12" or "6.1.192", whose rules these are: older kernels have others. */
  readonly since?: string;
  /** A module that not every kernel comes with. */
  readonly module?: string;
}

export interface Case {
  readonly group: string;
  readonly name: string;
  readonly compare: Comparison;
  /** Names below net.ipv4.vs, in force during this case's steps only. */
  readonly sysctls: Readonly<Record<string, number>>;
  /** How many of the packets behind the last command each server gets, where the comparison is of shares. */
  readonly shares?: Readonly<Record<string, Share>>;
  /** What a kernel must have to be asked. */
  readonly needs?: Needs;
  /** They are in force while the case waits, too: all cases of its group want them so. */
  readonly keepsSysctls?: boolean;
  readonly steps: readonly Step[];
}

/** What a file below cases/ holds: everything that there is to say about its groups stands there. */
export interface CaseFile {
  /** What each group is about, in an operator's words. */
  readonly features: Readonly<Record<string, string>>;
  cases(options: CaseOptions): readonly Case[];
}

export interface CaseOptions {
  /** For what is composed by chance. */
  readonly seed: number;
  /** How many command lines are composed. */
  readonly generated: number;
}

/** What a step did, as a side reports it. */
export type Observation =
  | {
      readonly kind: "ran";
      readonly exitCode: number;
      readonly stdout: string;
      readonly stderr: string;
    }
  /** Frames that left, each with its interface. */
  | { readonly kind: "sent"; readonly frames: readonly Frame[] }
  | { readonly kind: "saw"; readonly lines: readonly string[] }
  /** Nothing to compare. */
  | { readonly kind: "waited" };

export interface Frame {
  readonly wire: string;
  readonly bytes: Uint8Array;
}

/** A step's observation and when it was made, in milliseconds since the side's beginning. */
export interface Report {
  readonly atMs: number;
  readonly observation: Observation;
}

/** A case and its number among all, which says its place. */
export interface PlacedCase {
  readonly index: number;
  readonly each: Case;
}

/** Is told the reports of each case that is done, one for each step; of a wait there may be none. */
export type OnReports = (index: number, reports: Report[]) => void;

/** Something that can carry out cases. */
export interface Side {
  perform(cases: readonly PlacedCase[], onReports: OnReports): Promise<void>;
}

/** The words of a command line; double quotes keep blanks and make empty words. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
}

export function ipvsadm(line: string, stdin = ""): Step {
  return { kind: "ipvsadm", words: wordsOf(line), stdin };
}

/** With this, net.ipv4.vs is after the case as it was before. */
export function sysctl(line: string, stdin = ""): Step {
  return { kind: "sysctl-command", words: wordsOf(line), stdin };
}

/** Many commands as one step: what a case begins with. */
export function restore(...lines: readonly string[]): Step {
  return { kind: "ipvsadm", words: ["-R"], stdin: `${lines.join("\n")}\n` };
}

/** How often a packet arrives, one right after the other: its option `times`. What the last one does is compared. */
export function timesOf(packetText: string): number {
  return Number(/ times=(\d+)/.exec(packetText)?.[1] ?? 1);
}

export function packet(text: string): Step {
  return { kind: "packet", packet: text };
}

export function marks(...rules: readonly string[]): Step {
  return { kind: "marks", rules };
}

export const CONNECTIONS: Step = { kind: "connections" };
export const SERVICES: Step = { kind: "services" };
export const TOTALS: Step = { kind: "totals" };

export function wait(ms: number): Step {
  return { kind: "wait", ms };
}
