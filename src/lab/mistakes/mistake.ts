/**
 * A classic mistake as data, told over any laboratory: what is broken, what one sees then, why, and what mends it.
 *
 * Runs in a browser, too.
 */
import type { HostName, ScenarioName } from "../network/plan.ts";

/** What is said to people, in each language that we speak. */
export interface Text {
  readonly en: string;
  readonly zh: string;
}

/** A line that somebody types on a host. */
export interface Line {
  readonly on: HostName;
  readonly line: string;
}

/** A line whose output is looked at. */
export interface Look extends Line {
  /** What its output has. */
  readonly shows: RegExp;
}

export interface Mistake {
  /** As `sluice lab mistake` takes it. */
  readonly name: string;
  /** In which laboratory, built as `HEALTHY` has it. */
  readonly laboratory: ScenarioName;
  readonly title: Text;
  /** In that order, on hosts that work. */
  readonly breaking: readonly Line[];
  /** What a user of the service complains of. It gives nothing away. */
  readonly complaint: Text;
  readonly symptom: Look;
  readonly why: Text;
  /** Frames that show it: a tcpdump that listens while the symptom's line runs. */
  readonly frames: Look;
  /** What is to be seen in the frames. */
  readonly framesSay: Text;
  /** Where `sluice doctor` names it, and by which code. */
  readonly doctor: { readonly on: HostName; readonly says: string };
  readonly cure: readonly Line[];
  /** That the symptom is gone: what its line shows then, or another's. */
  readonly gone: RegExp | Look;
  /** What takes away the rest, so that the laboratory is as it was. */
  readonly restoring?: readonly Line[];
}

export function on(host: HostName, line: string): Line {
  return { on: host, line };
}

export function look(host: HostName, line: string, shows: RegExp): Look {
  return { on: host, line, shows };
}

/** What shows that the symptom is gone. */
export function goneLook({ symptom, gone }: Mistake): Look {
  return gone instanceof RegExp ? { ...symptom, shows: gone } : gone;
}
