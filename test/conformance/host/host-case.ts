/**
 * A case in which the host's settings matter: how the host is set up, what then happens on its wires and on itself.
 * Every case has a host of its own. Addresses are names (names.ts), so that one text is a case of both families.
 */
import type { Family } from "../../../src/net/address.ts";

export type HostStep =
  /** Shell lines, with the names as variables. What they print, fail with, and what leaves meanwhile is compared. */
  | { readonly kind: "shell"; readonly script: string }
  /** One command without a shell, which is faster, with the names as variables in words and input. */
  | {
      readonly kind: "command";
      readonly words: readonly string[];
      readonly input?: string;
      readonly reads?: Reading;
    }
  /** A packet (../../packets/packet-text.ts reads it) arrives. What leaves, and by which wire, is compared. */
  | {
      readonly kind: "arrival";
      readonly wire: string;
      readonly packet: string;
      readonly options: ArrivalOptions;
    }
  /** Time passes. What leaves meanwhile is compared. */
  | { readonly kind: "wait"; readonly ms: number }
  /** A neighbour answers for its address from here on: the station's hardware address is asked for it. */
  | {
      readonly kind: "neighbour";
      readonly wire: string;
      readonly address: string;
      readonly station: string;
    }
  /** It does not any more. */
  | { readonly kind: "silence"; readonly wire: string; readonly address: string }
  /** A server on the director, from here on. */
  | { readonly kind: "listen"; readonly protocol: Protocol; readonly at: string }
  /**
   * A client on a wire connects, says something, is answered and takes its leave; real servers on the wires answer.
   * Compared is which of them was asked, and what the client saw.
   */
  | {
      readonly kind: "talk";
      readonly wire: string;
      readonly ends: Ends;
      readonly options: TalkOptions;
    }
  /** A client on the director, with a socket. */
  | { readonly kind: "connect"; readonly ends: Ends; readonly limitMs: number };

/** What a listing is made of, so that it can be compared. */
export type Reading = "connections" | "services" | "counters" | "neighbours";

export type Protocol = "tcp" | "udp";

export interface ArrivalOptions {
  /** The station that sends; without it whoever is nearest to the packet's source on that wire. */
  readonly from?: string;
  /** The hardware address that the frame is to; without it the director's. */
  readonly to?: string;
  /** How often, one after the other, and the time between. */
  readonly times?: number;
  readonly gapMs?: number;
  /** Arrives in pieces of at most so many bytes. */
  readonly pieces?: number;
  /** False: how often the same frame leaves is a matter of time, and not compared. */
  readonly isCounted?: boolean;
}

export interface Ends {
  readonly protocol: Protocol;
  readonly source: string;
  readonly destination: string;
}

export interface TalkOptions {
  /** The hardware address of the client. */
  readonly from?: string;
  readonly to?: string;
  readonly limitMs?: number;
}

export interface HostCase {
  readonly group: string;
  readonly name: string;
  readonly family: Family;
  /** What the host is when the director starts: shell lines. */
  readonly setup: string;
  /** Wires besides wan and lan. */
  readonly wires: readonly string[];
  readonly steps: readonly HostStep[];
}

export interface HostCaseFile {
  /** What each group is about, in an operator's words. */
  readonly features: Readonly<Record<string, string>>;
  readonly cases: readonly HostCase[];
}

interface Told {
  readonly setup?: readonly string[];
  readonly wires?: readonly string[];
  readonly families?: readonly Family[];
}

/** In both families, where IPv6 may be otherwise. */
export const BOTH: readonly Family[] = ["inet", "inet6"];

/** The case in each family; of IPv4 alone where nothing is said. */
export function hostCases(
  group: string,
  name: string,
  { setup = [], wires = [], families = ["inet"] }: Told,
  ...steps: readonly HostStep[]
): HostCase[] {
  return families.map((family) => ({
    group,
    name: family === "inet6" ? `${name}, IPv6` : name,
    family,
    setup: setup.join("\n"),
    wires,
    steps,
  }));
}

export function shell(...lines: readonly string[]): HostStep {
  return { kind: "shell", script: lines.join("\n") };
}

/** Lines for `ipvsadm -R`, with names: `-a -t V:80 -r R1:80 -m`. */
export function services(...lines: readonly string[]): HostStep {
  const input = `${lines.map(withVariables).join("\n")}\n`;
  return { kind: "command", words: ["ipvsadm", "-R"], input };
}

/** `V:80` becomes an endpoint of the family: `10.1.0.1:80` or `[fd01::1]:80`. */
function withVariables(line: string): string {
  return line.replace(
    /(?<= )([A-Z]\w*)(?:\.([46]))?(?=:|$| )/g,
    (_all, name: string, family: string | undefined) =>
      `$at_${name}${family === undefined ? "" : `_${family}`}`,
  );
}

export function arrives(wire: string, packet: string, options: ArrivalOptions = {}): HostStep {
  return { kind: "arrival", wire, packet, options };
}

export function waits(ms: number): HostStep {
  return { kind: "wait", ms };
}

/** `C:1000 > V:80 tcp` */
export function talks(wire: string, text: string, options: TalkOptions = {}): HostStep {
  return { kind: "talk", wire, ends: endsOf(text), options };
}

/** Long enough for every answer on a busy machine. */
export const ANSWER_MAX_MS = 5_000;

export function connects(text: string, limitMs = ANSWER_MAX_MS): HostStep {
  return { kind: "connect", ends: endsOf(text), limitMs };
}

export function listens(at: string, protocol: Protocol = "tcp"): HostStep {
  return { kind: "listen", at, protocol };
}

export function neighbour(wire: string, address: string, station = address): HostStep {
  return { kind: "neighbour", wire, address, station };
}

export function silence(wire: string, address: string): HostStep {
  return { kind: "silence", wire, address };
}

/** Entries without their times, in any order. */
export const CONNECTIONS = listing("ipvsadm -Lnc", "connections");

/** Weights, active and inactive connections. */
export const SERVICES = listing("ipvsadm -Ln", "services");

/** What rules of a table's chain counted. */
export function counted(table: string, chain: string): HostStep {
  return listing(`$iptables -w -t ${table} -nvxL ${chain}`, "counters");
}

/** Whom the host knows on an interface, without what becomes of that with time. */
export function neighbours(wire: string): HostStep {
  return listing(`ip -$family neigh show dev ${wire}`, "neighbours");
}

function listing(line: string, reads: Reading): HostStep {
  return { kind: "command", words: line.split(" "), reads };
}

function endsOf(text: string): Ends {
  const [source = "", , destination = "", protocol = "tcp"] = text.split(" ");
  return { source, destination, protocol: protocol as Protocol };
}
