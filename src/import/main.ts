/** `sluice import`: another program's configuration as a sluice.yaml. */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Surroundings } from "../cli/ipvsadm/run.ts";
import { ask, EXIT, type ExitCode, toUsageError, UsageError } from "../cli/question.ts";
import { processSurroundings } from "../cli/surroundings.ts";
import { formatProblem } from "../configuration/problem.ts";
import { contentOf, unsayable, writeConfiguration } from "../configuration/write.ts";
import { importIpvsadmSave } from "./ipvsadm-save.ts";

const HELP = `Usage: sluice import ipvsadm-save [--json] FILE

Writes a sluice.yaml of what ipvsadm-save, or ipvsadm -S, wrote; FILE - is standard input. Lines that it cannot carry
are told on standard error, with the reason; all others are in the file. Needs no daemon.

    ipvsadm-save -n > rules; sluice import ipvsadm-save rules > sluice.yaml; sluice check sluice.yaml

      --json   as JSON, which is YAML, too
  -h, --help   this

Exit status: 0 all is carried over, 1 something is not, or FILE cannot be read, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  return ask("import", around, async () => {
    const { values, positionals } = parse(args);
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const [kind, file, ...more] = positionals;
    if (kind !== "ipvsadm-save" || file === undefined || more.length > 0) {
      throw new UsageError(`expected ipvsadm-save FILE, got ${positionals.join(" ") || "nothing"}`);
    }
    const text = await textOf(file, around);
    if (text === undefined) return EXIT.failed;
    const { wanted, dropped } = await importIpvsadmSave(text, around.names);
    const content = contentOf(wanted);
    await around.write(
      values.json
        ? `${JSON.stringify(content, undefined, 2)}\n`
        : writeConfiguration(content, [`From ${file === "-" ? "what ipvsadm-save wrote" : file}.`]),
    );
    for (const { line, text: words, why } of dropped) {
      around.complain(`${file}:${line}: not carried: ${words}: ${why}\n`);
    }
    const problems = unsayable(content);
    for (const problem of problems) around.complain(`sluice import: ${formatProblem(problem)}\n`);
    return dropped.length + problems.length === 0 ? EXIT.done : EXIT.failed;
  });
}

async function textOf(file: string, around: Surroundings): Promise<string | undefined> {
  try {
    if (file !== "-") return await readFile(file, "utf8");
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of around.stdin) {
      text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    around.complain(`sluice import: cannot read ${file}: ${(error as Error).message}\n`);
    return undefined;
  }
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: flag, help: { ...flag, short: "h" } },
    });
  } catch (error) {
    throw toUsageError(error);
  }
}
