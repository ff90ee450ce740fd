/** `sluice import`: another program's configuration as a sluice.yaml. */
import { readFile } from "node:fs/promises";
import { FLAG, readArguments } from "../cli/arguments.ts";
import type { Surroundings } from "../cli/ipvsadm/run.ts";
import { ask, EXIT, type ExitCode, UsageError } from "../cli/question.ts";
import { processSurroundings } from "../cli/surroundings.ts";
import { formatProblem } from "../configuration/problem.ts";
import { unsayable, writeConfiguration } from "../configuration/write.ts";
import { KINDS, type Kind, kindNamed, kindOfText } from "./kinds.ts";
import type { Told } from "./told.ts";

const HELP = `Usage: sluice import [keepalived|ldirectord|ipvsadm-save] [--id NAME] [--json] FILE

Writes a sluice.yaml of what FILE says; FILE - is standard input. Of which kind it is, it mostly tells by itself. What
cannot be carried is told on standard error, by file and line, with the reason; all else is in the sluice.yaml. Needs no
daemon.

    sluice import /etc/keepalived/keepalived.conf > sluice.yaml; sluice check sluice.yaml; sluice plan sluice.yaml

  keepalived     keepalived.conf, with the files that it includes
  ldirectord     ldirectord.cf
  ipvsadm-save   what ipvsadm-save, or ipvsadm -S, wrote

      --id NAME  of keepalived's lines for one machine, those that begin with @NAME hold (default: this host's name)
      --json     as JSON, which is YAML, too
  -h, --help     this

Exit status: 0 all is carried over, 1 something is not, or FILE cannot be read, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  return ask("import", around, async () => {
    const { values, positionals } = readArguments(args, { id: { type: "string" }, json: FLAG });
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const { kind: named, file } = asked(positionals);
    const text = await textOf(file, around);
    if (text === undefined) return EXIT.failed;
    const kind = named ?? kindOfText(text);
    if (kind === undefined) {
      throw new UsageError(`cannot tell what kind of file ${file} is: ${EXPECTED}`);
    }
    const { content, told } = await KINDS[kind](file, text, { names: around.names, id: values.id });
    const from = file === "-" ? `what ${kind === "ipvsadm-save" ? kind : `${kind} reads`}` : file;
    const comment = file === "-" && kind === "ipvsadm-save" ? `${from} wrote` : from;
    await around.write(
      values.json
        ? `${JSON.stringify(content, undefined, 2)}\n`
        : writeConfiguration(content, [`From ${comment}.`]),
    );
    for (const each of told) around.complain(`${formatTold(each)}\n`);
    const problems = unsayable(content);
    for (const problem of problems) around.complain(`sluice import: ${formatProblem(problem)}\n`);
    const isWhole = told.every((each) => each.kind === "note") && problems.length === 0;
    return isWhole ? EXIT.done : EXIT.failed;
  });
}

const EXPECTED = "expected keepalived FILE, ldirectord FILE or ipvsadm-save FILE";

/** A kind and a file, or a file alone; then its name may tell the kind, or its text has to. */
function asked(words: readonly string[]): { kind: Kind | undefined; file: string } {
  const [first, second, ...more] = words;
  const kind = first === undefined ? undefined : kindNamed(first);
  if (first !== undefined && second === undefined && !Object.hasOwn(KINDS, first)) {
    return { kind, file: first };
  }
  if (kind === undefined || second === undefined || more.length > 0) {
    throw new UsageError(`${EXPECTED}, got ${words.join(" ") || "nothing"}`);
  }
  return { kind, file: second };
}

function formatTold({ at, kind, text, why }: Told): string {
  return `${at.file}:${at.line}: ${kind === "dropped" ? "not carried" : "note"}: ${text}: ${why}`;
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
