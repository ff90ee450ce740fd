/** A doctor's report, for people. */
import type { Examination, Finding } from "./finding.ts";

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
}

const escapeCode =
  (code: number) =>
  (text: string): string =>
    `\x1b[${code}m${text}\x1b[0m`;
const plain = (text: string): string => text;

export const COLOURS: Paint = {
  bold: escapeCode(1),
  dim: escapeCode(2),
  red: escapeCode(31),
  green: escapeCode(32),
};
export const NO_COLOURS: Paint = { bold: plain, dim: plain, red: plain, green: plain };

export function report({ findings, skipped }: Examination, paint: Paint): string {
  const notes = skipped.map(({ what, why }) => paint.dim(`  not looked at: ${what} (${why})\n`));
  if (findings.length === 0) return `${paint.green("✔")} Nothing is wrong.\n${notes.join("")}`;
  const count = findings.length === 1 ? "One thing is" : `${findings.length} things are`;
  const pages = findings.map((finding) => `\n${page(finding, paint)}`);
  return `${count} wrong.\n${pages.join("")}${notes.length > 0 ? "\n" : ""}${notes.join("")}`;
}

export function page(finding: Finding, paint: Paint): string {
  const { code, about, says, evidence, leadsTo, remedy } = finding;
  const rows: readonly (readonly [string, string])[] = [
    ["shown by", evidence],
    ["leads to", leadsTo],
    ...(remedy.kind === "advice"
      ? [["to do", remedy.text] as const]
      : remedy.lines.map((line, index) => [index === 0 ? "mended by" : "", line] as const)),
  ];
  const body = rows.map(([name, text]) => `      ${paint.dim(name.padEnd(9))}  ${text}\n`);
  return `  ${paint.red("✘")} ${paint.bold(`${about}: ${says}`)} ${paint.dim(`[${code}]`)}\n${body.join("")}`;
}
