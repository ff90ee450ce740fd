/**
 * What the inside of a laboratory tells its outside, one JSON object a line.
 *
 * Only the inside can see the hosts; only the outside has the terminal, the state file, and what remains afterwards.
 */
import type { HostName } from "./network/plan.ts";

/** What a check found: whether the statement holds, and what shows it. */
export interface Finding {
  readonly ok: boolean;
  readonly evidence: string;
}

export type LabEvent =
  /** A mistake begins, one of many. */
  | { readonly kind: "heading"; readonly name: string; readonly title: string }
  /** A paragraph to read. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "step"; readonly number: number; readonly title: string }
  | {
      readonly kind: "command";
      readonly host: HostName;
      readonly command: string;
      readonly output: string;
    }
  | ({ readonly kind: "statement"; readonly says: string } & Finding)
  /** Something takes a while. */
  | { readonly kind: "progress"; readonly text: string }
  /** All steps are done and the hosts stay: the process ids to enter them by, as the inside's /proc counts them. */
  | { readonly kind: "kept"; readonly hosts: Readonly<Record<string, number>> }
  /** The laboratory could not be built or driven. */
  | { readonly kind: "failure"; readonly why: string }
  | { readonly kind: "end" };

export function encodeEvent(event: LabEvent): string {
  return `${JSON.stringify(event)}\n`;
}

export function decodeEvent(line: string): LabEvent {
  return JSON.parse(line) as LabEvent;
}
