/** What the agent reports of host cases, as lines for each step. */

import { frameText } from "./frame-text.ts";
import type { HostCase, HostStep, Reading } from "./host-case.ts";
import { HostNames } from "./names.ts";
import { unpacked } from "./packed.ts";

/** Lines of each step, the first of which is the set-up. */
export type HostReport = readonly (readonly string[])[];

/** Of every case that the report tells of. A case that could not be carried out to its end says so in its last step. */
export function readReport(
  text: string,
  cases: ReadonlyMap<number, HostCase>,
): Map<number, string[][]> {
  const reports = new Map<number, string[][]>();
  for (const line of text.split("\n")) {
    const [number = "", step = "", ...words] = line.split(" ");
    const of = cases.get(Number(number));
    if (of === undefined || step === "" || step === "done") continue;
    const names = new HostNames(of.family);
    const report = reports.get(Number(number)) ?? [];
    reports.set(Number(number), report);
    if (step === "set-up")
      report[0] = [...(report[0] ?? []), ...stepLines(words, undefined, names)];
    else if (step === "failed") report.push([`could not go on: ${unpacked(words[0])}`]);
    else report[Number(step)] = stepLines(words, of.steps[Number(step) - 1], names);
  }
  return reports;
}

function stepLines(
  words: readonly string[],
  step: HostStep | undefined,
  names: HostNames,
): string[] {
  const frames: { wire: string; text: string }[] = [];
  const lines: string[] = [];
  for (const word of words) {
    const [kind = "", ...parts] = word.split(":");
    if (kind === "frame") {
      const [wire = "", digits = ""] = parts;
      frames.push({ wire, text: frameText(wire, Buffer.from(digits, "hex"), names) });
    } else if (kind === "line") {
      lines.push(names.named(unpacked(parts[0])));
    } else {
      lines.push(...ranLines(parts, step, names));
    }
  }
  // Which of two wires was faster is chance.
  const sorted = frames.toSorted((a, b) => (a.wire < b.wire ? -1 : a.wire > b.wire ? 1 : 0));
  return [...lines, ...repeated(sorted.map(({ text }) => text))];
}

/** The same frame several times in a row is one line. */
function repeated(texts: readonly string[]): string[] {
  const runs: { text: string; times: number }[] = [];
  for (const text of texts) {
    const last = runs.at(-1);
    if (last?.text === text) last.times++;
    else runs.push({ text, times: 1 });
  }
  return runs.map(({ text, times }) => (times === 1 ? text : `${text}, ${times} times`));
}

function ranLines(
  [code, output, complaint]: readonly string[],
  step: HostStep | undefined,
  names: HostNames,
): string[] {
  const reads = step?.kind === "command" ? step.reads : undefined;
  const of = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.trimEnd());
  const printed = of(unpacked(output));
  return [
    ...(code === "0" ? [] : [`exit code ${code}`]),
    ...(reads === undefined ? printed : READERS[reads](printed).map((line) => names.named(line))),
    ...of(unpacked(complaint)),
  ];
}

const READERS: Readonly<Record<Reading, (lines: readonly string[]) => string[]>> = {
  // The kernel may show an entry twice when it is interrupted on its way through the table.
  connections: (lines) =>
    [...new Set(lines.slice(2).map((line) => words(line, 0, 2, 3, 4, 5)))].toSorted(),
  services: (lines) => lines.slice(3).map((line) => line.trim().replaceAll(/\s+/g, " ")),
  counters: (lines) => lines.slice(2).map((line) => words(line, 0, 1, 2)),
  neighbours: (lines) =>
    lines
      .filter((line) => !line.startsWith("fe80:"))
      .map((line) => words(line, 0, 2).replace(/ (?!.*:).*$/, " unknown"))
      .toSorted(),
};

/** These words of a line. */
function words(line: string, ...which: readonly number[]): string {
  const all = line.trim().split(/\s+/);
  return which.map((index) => all[index] ?? "").join(" ");
}
