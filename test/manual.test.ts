/** The manual pages and completions that scripts/manual.ts makes: whole, well-formed, and they complete. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SPELLINGS } from "../src/cli/ipvsadm/grammar.ts";
import { Terminal } from "./e2e/terminal.ts";

const path = (name: string): string => new URL(`../${name}`, import.meta.url).pathname;

let folder: string;
let help: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-manual-"));
  const node = (...words: readonly string[]): string =>
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...words], {
      encoding: "utf8",
    });
  node(path("scripts/manual.ts"), folder);
  help = node(path("src/sluice.ts"), "help");
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = (name: string): string => readFileSync(join(folder, "man", name), "utf8");
/** Without what groff needs. */
const plain = (text: string): string => text.replaceAll("\\-", "-").replaceAll(/\\f[BIR]/g, "");
const commands = (): string[] =>
  [...help.matchAll(/^ {2}(\S+) .*; see sluice \1 --help$/gm)].map(([, name]) => name!);

test("each command has a page, with each option that its help has", () => {
  const names = commands();
  expect(names).toContain("daemon");
  for (const name of names) {
    const text = plain(page(`sluice-${name}.8`));
    expect(text).toMatch(/^\.SH EXIT STATUS$/m);
    expect(text).toMatch(/^\.SH OPTIONS$/m);
    expect(text).toMatch(/^.*--help.*\nthis$/m);
  }
});

test("ipvsadm's page has each of its options", () => {
  const text = plain(page("ipvsadm.8"));
  expect(
    SPELLINGS.filter(({ tag, long }) => tag !== "version" && !text.includes(`--${long}`)),
  ).toEqual([]);
});

test("sluice.yaml's page has each key of its schema", () => {
  const schema = readFileSync(path("docs/sluice.schema.json"), "utf8");
  const { properties } = JSON.parse(schema) as { readonly properties: object };
  const text = page("sluice.yaml.5");
  for (const key of Object.keys(properties)) expect(text).toContain(`\n\\fB${key}\\fR`);
});

test.runIf(spawnSync("man", ["--version"]).status === 0)("man has no complaint of any page", () => {
  const files = readdirSync(join(folder, "man")).map((name) => join(folder, "man", name));
  const { stderr } = spawnSync("man", ["--warnings", "-l", ...files], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C.UTF-8", MANPAGER: "cat", MANWIDTH: "120" },
  });
  expect(stderr).toBe("");
});

/** What bash offers for the last of these words. */
function offered(program: string, ...words: readonly string[]): string[] {
  const script = `
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    compopt() { :; }
    "$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const file = join(folder, "completions", `${program}.bash`);
  const said = execFileSync("bash", ["-c", script, "bash", file, program, ...words], {
    encoding: "utf8",
    cwd: path("examples"),
  });
  return said.split("\n").filter((word) => word !== "");
}

// biome-ignore format: a table
const completed: [line: string, some: string[]][] = [
  ["sluice da",                        ["daemon"]],
  ["sluice help pl",                   ["plan"]],
  ["sluice daemon --en",               ["--engine"]],
  ["sluice daemon --hook ",            ["tc", "xdp"]],
  ["sluice daemon --engine ",          ["auto", "kernel", "userspace"]],
  ["sluice daemon --log-level wa",     ["warn"]],
  ["sluice check we",                  ["web.yaml"]],
  ["sluice check --li",                ["--lines"]],
  ["sluice import ipvs",               ["ipvsadm-save"]],
  ["sluice import ipvsadm-save we",    ["web.yaml"]],
  ["sluice lab n",                     ["nat", "no-vip-on-director", "no-forwarding"]],
  ["sluice lab mistake vip-d",         ["vip-down"]],
  ["sluice doctor --se",               ["--server"]],
  ["sluice lab dr --scheduler wr",     ["wrr"]],
  ["sluice drain --then ",             ["remove", "keep"]],
  ["sluice drain kee",                 []],
  ["sluice connections --by st",       ["state"]],
  ["sluice explain --what-if we",      ["web.yaml"]],
  ["ipvsadm --add-s",                  ["--add-service", "--add-server"]],
  ["ipvsadm -A -t 192.0.2.1:80 -s wl", ["wlc"]],
  ["ipvsadm --tun-type gu",            ["gue"]],
];

test.for(completed)("bash completes %j", ([line, some]) => {
  const [program = "", ...words] = line.split(" ");
  expect(offered(program, ...words)).toEqual(some);
});

/** What fish offers for the last of these words: also what has it in its middle. */
test.runIf(spawnSync("fish", ["--version"]).status === 0).for(completed)(
  "fish completes %j",
  ([line, some]) => {
    const [program = ""] = line.split(" ");
    const file = join(folder, "completions", `${program}.fish`);
    const script = 'source $argv[1]; complete -C "$argv[2]"';
    const said = execFileSync("fish", ["--no-config", "-c", script, file, line], {
      encoding: "utf8",
      cwd: path("examples"),
    });
    const words = said.split("\n").map((each) => each.split("\t")[0]);
    expect(words).toEqual(expect.arrayContaining([...some]));
    if (line === "sluice help pl") expect(words).not.toContain("monitoring/");
  },
);

// biome-ignore format: a table
const typed: [line: string, becomes: string][] = [
  ["sluice repl",                      "sluice replay"],
  ["sluice daemon --eng",              "sluice daemon --engine"],
  ["sluice check we",                  "sluice check web.yaml"],
  ["sluice drain --then re",           "sluice drain --then remove"],
  ["sluice connections --by st",       "sluice connections --by state"],
  ["ipvsadm --tun-type gu",            "ipvsadm --tun-type gue"],
];

const hasZsh = ["zsh", "tmux"].every((name) => spawnSync("which", [name]).status === 0);

test.runIf(hasZsh)("zsh completes what is typed", async () => {
  const start = `cd ${path("examples")}; PS1='> ' exec zsh -f -i`;
  using terminal = new Terminal(start, { columns: 100, rows: 30 });
  const seen = (line: string) =>
    expect
      .poll(() => terminal.screen.split("\n").map((each) => each.trimEnd()), { timeout: 20_000 })
      .toContain(line);
  await seen(">");
  terminal.type(
    `fpath=(${folder}/completions $fpath); autoload -U compinit; compinit -u -D; clear; echo ready`,
    "Enter",
  );
  await seen("ready");
  for (const [line, becomes] of typed) {
    terminal.type("C-u", "C-l", line, "Tab");
    await seen(`> ${becomes}`);
  }
});

test("each command is completed", () => {
  expect(offered("sluice", "")).toEqual(expect.arrayContaining(commands()));
});

// biome-ignore format: a table
const shells: [shell: string, file: string, words: string[]][] = [
  ["bash", "sluice.bash", ["-n"]],
  ["bash", "ipvsadm.bash", ["-n"]],
  ["zsh",  "_sluice",     ["-n"]],
  ["zsh",  "_ipvsadm",    ["-n"]],
  ["fish", "sluice.fish", ["--no-execute"]],
  ["fish", "ipvsadm.fish", ["--no-execute"]],
];

test.for(shells.filter(([shell]) => spawnSync(shell, ["--version"]).status === 0))(
  "%s understands %s",
  ([shell, file, words]) => {
    execFileSync(shell, [...words, join(folder, "completions", file)]);
  },
);
