import type { Family } from "../../src/net/address.ts";

/**
 * A story in rows, each what happens and what comes of it, separated by `=>`; several lines of output follow as lines
 * that begin with `|`. Rows are plain text, so that any engine can play them.
 */
export interface Scenario {
  readonly title: string;
  readonly family: Family;
  /** Connections at most. */
  readonly limit: number;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly input: string;
  readonly expected: readonly string[];
}

/**
 * Reads scenarios: each begins with `# title`, and is played in both families unless the title ends in [inet] or
 * [inet6]; [limit 2] sets the table's size. Blank lines and what follows `--` with two blanks around it are for readers.
 */
export function scenarios(text: string): Scenario[] {
  return text
    .split(/^# /m)
    .slice(1)
    .flatMap((part) => {
      const [title, ...lines] = part.split("\n");
      const rows = readRows(lines);
      const limit = Number(/\[limit (\d+)\]/.exec(title!)?.[1] ?? 1000);
      const families: Family[] = ["inet", "inet6"];
      const only = families.filter((family) => title!.includes(`[${family}]`));
      return (only.length > 0 ? only : families).map((family) => ({
        title: title!.replaceAll(/ *\[.*?\]/g, ""),
        family,
        limit,
        rows,
      }));
    });
}

function readRows(lines: readonly string[]): Row[] {
  const rows: { input: string; expected: string[] }[] = [];
  for (const line of lines) {
    const text = tidy(line.replace(/ {2}-- .*/, ""));
    if (text === "") continue;
    if (text.startsWith("|")) {
      rows.at(-1)!.expected.push(tidy(text.slice(1)));
      continue;
    }
    const [input, output] = text.split(" => ", 2) as [string, string?];
    rows.push({ input, expected: output === undefined ? [] : [output] });
  }
  return rows;
}

/** Blanks serve to align columns. */
export function tidy(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}

/** The scenario as text again, with what `play` gives instead of what is expected. */
export function transcript(rows: readonly Row[], output: (row: Row) => readonly string[]): string {
  return rows
    .map((row) => {
      const lines = output(row).map(tidy);
      if (lines.length === 0) return row.input;
      if (row.input.startsWith("-L") || row.input === "sysctl")
        return [row.input, ...lines.map((line) => `| ${line}`)].join("\n");
      return `${row.input} => ${lines.join(" ")}`;
    })
    .join("\n");
}
