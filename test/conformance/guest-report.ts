/** What guest/agent.py reports of a programme, read while it is being written. */
import type { Case, Frame, Observation, OnReports, PlacedCase, Report, Step } from "./case.ts";
import { readConnections, readServices, readTotals } from "./kernel-files.ts";

/** The name of what comes before all cases. */
export const PREPARATION = "prepare";

export class GuestReport {
  readonly #cases: ReadonlyMap<string, Case>;
  readonly #onReports: OnReports;
  readonly #begun = new Map<string, Report[]>();
  #read = 0;

  /** `onReports` is told of each case when its last step is reported. */
  constructor(cases: readonly PlacedCase[], onReports: OnReports) {
    this.#cases = new Map(cases.map(({ index, each }) => [String(index), each]));
    this.#onReports = onReports;
  }

  /** Reads on from where the last call ended. `text` is the whole report so far. */
  read(text: string): void {
    const end = text.lastIndexOf("\n") + 1;
    for (const line of text.slice(this.#read, end).split("\n")) this.#take(line);
    this.#read = end;
  }

  #take(line: string): void {
    const [name = "", step, at, kind = "", ...words] = line.split(" ");
    if (name === PREPARATION) checkPrepared(kind, words);
    const of = this.#cases.get(name);
    if (of === undefined) return;
    const reports = this.#begun.get(name) ?? [];
    this.#begun.set(name, reports);
    reports[Number(step)] = {
      atMs: Number(at),
      observation: observed(kind, words, of.steps[Number(step)]!),
    };
    if (Number(step) === lastReported(of)) this.#onReports(Number(name), reports);
  }
}

/** Of a wait the agent says nothing. */
function lastReported({ steps }: Case): number {
  return steps.findLastIndex(({ kind }) => kind !== "wait");
}

function checkPrepared(kind: string, words: readonly string[]): void {
  if (kind !== "ran") return;
  const [code, , complaint] = words;
  checkRan("The guest cannot be prepared", code, complaint);
}

function checkRan(trouble: string, code: string | undefined, complaint: string | undefined): void {
  if (code !== "0") throw new Error(`${trouble}: ${unpacked(complaint).toString()}`);
}

function observed(kind: string, words: readonly string[], step: Step): Observation {
  switch (kind) {
    case "ran": {
      const [code, output, complaint] = words;
      if (step.kind === "marks") {
        checkRan("Rules cannot be set in the guest", code, complaint);
        return { kind: "waited" };
      }
      return {
        kind,
        exitCode: Number(code),
        stdout: unpacked(output).toString(),
        stderr: unpacked(complaint).toString(),
      };
    }
    case "sent":
      return { kind, frames: words.map(frame) };
    case "saw": {
      const text = unpacked(words[0]).toString();
      if (step.kind === "sysctl") return { kind, lines: text.split("\n") };
      return { kind, lines: READERS[step.kind as keyof typeof READERS](text) };
    }
    default:
      return { kind: "waited" };
  }
}

const READERS = { services: readServices, connections: readConnections, totals: readTotals };

function frame(word: string): Frame {
  const [wire = "", digits] = word.split(":");
  return { wire, bytes: unpacked(digits) };
}

function unpacked(word: string | undefined): Buffer {
  return Buffer.from(word === "-" || word === undefined ? "" : word, "hex");
}
