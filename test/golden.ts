/** Reads recorded command lines: test/golden/ipvsadm-*.golden.txt say what their lines mean. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Recording {
  /** The `@` lines in force: what the table held. */
  readonly table: readonly string[];
  readonly line: string;
  readonly exitCode: number;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /** The `+`, `-` and `=` lines, marks included. */
  readonly after: readonly string[];
}

export function readRecordings(name: string): Recording[] {
  const text = readFileSync(join(import.meta.dirname, "golden", name), "utf8");
  const recordings: Recording[] = [];
  let table: string[] = [];
  for (const block of text.split("\n\n")) {
    const lines = block.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const [first] = lines;
    if (first?.startsWith("@")) table = marked(lines, "@");
    if (!first?.startsWith("$")) continue;
    recordings.push({
      table,
      line: first.slice(2),
      exitCode: Number(lines[1]),
      stdout: marked(lines, "|"),
      stderr: marked(lines, "!"),
      after: lines.filter((line) => /^[-+=] /.test(line)),
    });
  }
  return recordings;
}

/** The texts of the lines with this mark. */
function marked(lines: readonly string[], mark: string): string[] {
  return lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
}
