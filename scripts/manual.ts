/**
 * Writes the manual pages and what shells complete, of what --help says and of docs/configuration.md:
 *
 *     node scripts/manual.ts FOLDER        FOLDER/man/*.8, *.5, FOLDER/completions/*
 *
 * Nothing of it is kept in the repository, so nothing can be stale: packages have it made anew.
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { USAGE } from "../src/cli/ipvsadm/usage.ts";
import {
  bash,
  type CompletedCommand,
  completedCommand,
  fish,
  ipvsadmCommand,
  zsh,
} from "./manual/completions.ts";
import { parseHelp } from "./manual/help-text.ts";
import { pageOfHelp, pageOfMarkdown, type Title } from "./manual/page.ts";

const root = resolve(import.meta.dirname, "..");
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: manual.ts FOLDER");

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly version: string;
};

const titled = (name: string, section: number, says: string): Title => ({
  name,
  section,
  says,
  version,
});

/** As ipvsadm's own scripts, which have no list of options. */
const SAVE = `Usage: ipvsadm-save [-n]

Writes the director's services and servers to standard output, as lines that ipvsadm-restore reads.

  -n  addresses and ports as numbers`;
const RESTORE = `Usage: ipvsadm-restore

Reads lines from standard input, as ipvsadm-save writes them, and adds what they say to the director's table.`;

for (const name of ["man", "completions"]) mkdirSync(join(folder, name), { recursive: true });

const whole = await helpOf();
const commands = commandsIn(whole);
page(titled("sluice", 8, "a layer-4 load balancer with the meaning of IPVS"), (title) =>
  pageOfHelp(title, parseHelp(whole)),
);
const completed: CompletedCommand[] = await Promise.all(
  commands.map(async ([name, says]) => {
    const help = parseHelp(await helpOf(name));
    page(titled(`sluice-${name}`, 8, says), (title) => pageOfHelp(title, help));
    return completedCommand(name, says, help);
  }),
);
page(titled("sluice.yaml", 5, "which services Sluice balances, and how"), (title) =>
  pageOfMarkdown(title, readFileSync(join(root, "docs/configuration.md"), "utf8")),
);
page(titled("ipvsadm", 8, "the director's table by the kernel's own tool's words"), (title) =>
  pageOfHelp(title, parseHelp(USAGE)),
);
page(titled("ipvsadm-save", 8, "writes the director's table to standard output"), (title) =>
  pageOfHelp(title, parseHelp(SAVE)),
);
page(titled("ipvsadm-restore", 8, "reads the director's table from standard input"), (title) =>
  pageOfHelp(title, parseHelp(RESTORE)),
);
complete("sluice", completed);
complete("ipvsadm", [ipvsadmCommand()]);

function page(title: Title, write: (title: Title) => string): void {
  writeFileSync(join(folder!, "man", `${title.name}.${title.section}`), write(title));
}

function complete(program: string, all: readonly CompletedCommand[]): void {
  const into = join(folder!, "completions");
  writeFileSync(join(into, `${program}.bash`), bash(program, all));
  writeFileSync(join(into, `_${program}`), zsh(program, all));
  writeFileSync(join(into, `${program}.fish`), fish(program, all));
}

/** Names with what they do, without those that have no help of their own. */
function commandsIn(help: string): [name: string, says: string][] {
  const rows = help.matchAll(/^ {2}(\S+) +(.*); see sluice \1 --help$/gm);
  return [...rows].map(([, name = "", says = ""]) => [name, says]);
}

async function helpOf(...names: readonly string[]): Promise<string> {
  const words = [
    "--disable-warning=ExperimentalWarning",
    join(root, "src/sluice.ts"),
    "help",
    ...names,
  ];
  return (await promisify(execFile)(process.execPath, words)).stdout;
}
