/** What shells complete, of what --help says: bash, zsh and fish. */

import { SPELLINGS } from "../../src/cli/ipvsadm/grammar.ts";
import { ADMISSIONS, ENGINES, HOOKS, LOG_LEVELS } from "../../src/daemon/options.ts";
import { SCHEDULERS } from "../../src/ipvs/schedulers/index.ts";
import { MISTAKES } from "../../src/lab/mistakes/index.ts";
import { type Help, type Option, optionsOf } from "./help-text.ts";

/** What may stand where a word is wanted: one of these, a file, either, an interface, or nobody knows. */
type Values = readonly string[] | "files" | "interfaces" | WordsOrFiles | undefined;

interface WordsOrFiles {
  readonly orFiles: readonly string[];
}

interface Completed {
  readonly names: readonly string[];
  readonly says: string;
  readonly takesArgument: boolean;
  readonly values: Values;
}

export interface CompletedCommand {
  readonly name: string;
  readonly says: string;
  readonly options: readonly Completed[];
  readonly words: Values;
}

const VALUES: Readonly<Record<string, Values>> = {
  "--engine": ENGINES,
  "--admission": ADMISSIONS,
  "--hook": HOOKS,
  "--log-level": LOG_LEVELS,
  "--scheduler": Object.keys(SCHEDULERS).filter((name) => name !== "none"),
  "--tunnel": ["ipip", "gre", "gue"],
  "--pe": ["sip"],
  "--tun-type": ["ipip", "gue", "gre"],
  "--start-daemon": ["master", "backup"],
  "--stop-daemon": ["master", "backup"],
  "--on": "interfaces",
  "--mcast-interface": "interfaces",
  "--language": ["en", "zh"],
  "--what-if": "files",
};

/** Words that a command's usage names by what they are. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  lab: MISTAKES.map(({ name }) => name),
};

const FILES = /^(FILE|PATH|DIR|FOLDER|SOCKET)\b/;

export function completedCommand(name: string, says: string, help: Help): CompletedCommand {
  const choices = choicesOf(help.usage);
  const options = optionsOf(help).map((option) => completedOption(option, choices));
  return { name, says, options, words: wordsOf(name, help.usage) };
}

/** What a usage says of an option: `[--then remove|keep]`. */
const CHOICE = /(--[\w-]+) ([a-z]+(?:\|[a-z]+)+)/g;

function choicesOf(usage: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const found = usage.flatMap((line) => [...line.matchAll(CHOICE)]);
  return Object.fromEntries(found.map(([, name, choices]) => [name!, choices!.split("|")]));
}

function completedOption(
  { names, argument, says }: Option,
  choices: Readonly<Record<string, readonly string[]>>,
): Completed {
  const known = names.map((name) => VALUES[name] ?? choices[name]).find((each) => each);
  const takesArgument = argument !== undefined && !argument.startsWith("[");
  const values = known ?? (FILES.test(argument ?? "") ? "files" : undefined);
  return { names, says, takesArgument, values };
}

/** ipvsadm's own table knows more than its help: which options need an argument. */
export function ipvsadmCommand(): CompletedCommand {
  const options = SPELLINGS.map(({ short, long, argument }): Completed => {
    const takesArgument = argument === "required";
    const names = [...(short === undefined ? [] : [`-${short}`]), `--${long}`];
    return { names, says: long.replaceAll("-", " "), takesArgument, values: VALUES[`--${long}`] };
  });
  return { name: "ipvsadm", says: "", options, words: undefined };
}

/** What else stands in the command's usage: "ipvsadm-save|keepalived FILE", "FILE". */
function wordsOf(name: string, usage: readonly string[]): Values {
  const words = usage.flatMap((line) =>
    line.replace(`sluice ${name}`, "").replaceAll(CHOICE, "").split(/\s+/),
  );
  const choices = words
    .filter((word) => /^\[?[a-z][\w-]*(\|[a-z][\w-]*)*\]?$/.test(word))
    .flatMap((word) => word.replaceAll(/[[\]]/g, "").split("|"))
    .filter((word) => word !== "options" && word !== "arguments");
  const takesFiles = words.some((word) => FILES.test(word.replace("[", "")));
  if (choices.length === 0) return takesFiles ? "files" : undefined;
  const all = [...new Set([...choices, ...(NAMED[name] ?? [])])];
  return takesFiles ? { orFiles: all } : all;
}

const namesOf = (options: readonly Completed[]): string[] => options.flatMap(({ names }) => names);

/** Commands of `program`; of one that has none, the only one. */
export function bash(program: string, commands: readonly CompletedCommand[]): string {
  const isAlone = commands.length === 1 && commands[0]!.name === program;
  const name = `_${program.replaceAll("-", "_")}`;
  const cases = commands.map((command) => {
    const given = command.options
      .filter(({ takesArgument, values }) => takesArgument || values !== undefined)
      .map(({ names, values }) => `        ${names.join("|")}) ${bashValues(values)}; return ;;`);
    return [
      `    ${isAlone ? "*" : command.name})`,
      ...(given.length > 0 ? ['      case "$previous" in', ...given, "      esac"] : []),
      '      if [[ "$current" == -* ]]; then',
      `        COMPREPLY=($(compgen -W ${shellQuoted(namesOf(command.options).join(" "))} -- "$current"))`,
      `      else ${bashValues(command.words)}; fi ;;`,
    ].join("\n");
  });
  const names = commands.map((command) => command.name);
  const first = [
    '  if [[ "$COMP_CWORD" == 1 ]]; then',
    `    COMPREPLY=($(compgen -W ${shellQuoted([...names, "help", "version", "--help", "--version"].join(" "))} -- "$current"))`,
    "    return",
    "  fi",
    `  if [[ "\${COMP_WORDS[1]}" == help ]]; then`,
    `    COMPREPLY=($(compgen -W ${shellQuoted(names.join(" "))} -- "$current"))`,
    "    return",
    "  fi",
  ];
  return `# bash completion for ${program}. Made by scripts/manual.ts of what --help says.
${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
${isAlone ? "" : `${first.join("\n")}\n`}  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
}
complete -F ${name} ${program}
`;
}

function bashValues(values: Values): string {
  if (values === undefined) return ":";
  if (values === "files") {
    return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current")';
  }
  if (values === "interfaces") {
    return 'COMPREPLY=($(compgen -W "$(ls /sys/class/net)" -- "$current"))';
  }
  if ("orFiles" in values) {
    return `${bashValues(values.orFiles)}; [[ "$COMP_CWORD" == 2 ]] || { ${bashValues("files")}; }`;
  }
  return `COMPREPLY=($(compgen -W ${shellQuoted(values.join(" "))} -- "$current"))`;
}

export function zsh(program: string, commands: readonly CompletedCommand[]): string {
  const isAlone = commands.length === 1 && commands[0]!.name === program;
  const specs = (command: CompletedCommand, indent: string): string =>
    [
      ...command.options.flatMap((option) =>
        option.names.map((name) =>
          shellQuoted(`*${name}[${zshText(option.says)}]${zshArgument(option)}`),
        ),
      ),
      ...(command.words === undefined ? [] : [shellQuoted(`*:word:${zshValues(command.words)}`)]),
    ]
      .map((spec) => `${indent}${spec}`)
      .join(" \\\n");
  if (isAlone) {
    return `#compdef ${program}\n# Made by scripts/manual.ts of ${program}'s options.\n_arguments -s \\\n${specs(commands[0]!, "  ")}\n`;
  }
  const list = commands.map(({ name, says }) => `    ${shellQuoted(`${name}:${zshText(says)}`)}`);
  const cases = commands.map(
    (command) => `    ${command.name})\n      _arguments \\\n${specs(command, "        ")} ;;`,
  );
  return `#compdef ${program}
# Made by scripts/manual.ts of what --help says.
_${program}() {
  local -a commands=(
${list.join("\n")}
    'help:a command'\\''s own help'
    'version:its version'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join("\n")}
    help) _describe command commands ;;
  esac
}
_${program} "$@"
`;
}

function zshArgument({ takesArgument, values }: Completed): string {
  if (!takesArgument && values === undefined) return "";
  return `:value:${values === undefined ? " " : zshValues(values)}`;
}

function zshValues(values: NonNullable<Values>): string {
  if (values === "files") return "_files";
  if (typeof values === "object" && "orFiles" in values) {
    return `{ compadd ${values.orFiles.join(" ")}; _files }`;
  }
  return values === "interfaces" ? "_net_interfaces" : `(${values.join(" ")})`;
}

function zshText(source: string): string {
  return firstClause(source).replaceAll(/[[\]:\\]/g, " ");
}

export function fish(program: string, commands: readonly CompletedCommand[]): string {
  const isAlone = commands.length === 1 && commands[0]!.name === program;
  const rows = commands.flatMap((command) => {
    const within = isAlone ? "" : ` -n '__fish_seen_subcommand_from ${command.name}'`;
    return [
      ...(isAlone
        ? []
        : [
            `complete -c ${program} -f -n __fish_use_subcommand -a ${command.name} -d ${fishQuoted(firstClause(command.says))}`,
          ]),
      ...command.options.map(
        (option) =>
          `complete -c ${program}${within} ${option.names.map(fishName).join(" ")}${fishArgument(option)} -d ${fishQuoted(firstClause(option.says))}`,
      ),
      ...(command.words === undefined
        ? []
        : [`complete -c ${program}${within}${fishWords(command.words)}`]),
    ];
  });
  const names = commands.map(({ name }) => name).join(" ");
  // Files are words of those commands alone that take some.
  const general = isAlone
    ? []
    : [
        `complete -c ${program} -f`,
        `complete -c ${program} -n __fish_use_subcommand -a help -d 'a command\\'s own help'`,
        `complete -c ${program} -n __fish_use_subcommand -a version -d 'its version'`,
        `complete -c ${program} -n '__fish_seen_subcommand_from help' -a '${names}'`,
      ];
  return `# fish completion for ${program}. Made by scripts/manual.ts of what --help says.\n${[...general, ...rows].join("\n")}\n`;
}

function fishName(name: string): string {
  if (name.startsWith("--")) return `-l ${name.slice(2)}`;
  return name.length === 2 ? `-s ${name.slice(1)}` : `-o ${name.slice(1)}`;
}

function fishArgument({ takesArgument, values }: Completed): string {
  if (!takesArgument && values === undefined) return "";
  if (values === undefined) return " -x";
  return ` -r${fishWords(values)}`;
}

function fishWords(values: NonNullable<Values>): string {
  if (values === "files") return " -F";
  if (typeof values === "object" && "orFiles" in values) {
    return ` -F -a ${fishQuoted(values.orFiles.join(" "))}`;
  }
  const words = values === "interfaces" ? "(ls /sys/class/net)" : values.join(" ");
  return ` -f -a ${fishQuoted(words)}`;
}

/** Lists have room for one line each. */
function firstClause(source: string): string {
  return source.split(/[;:.]( |$)/)[0]!.slice(0, 70);
}

function shellQuoted(source: string): string {
  return `'${source.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(source: string): string {
  return `'${source.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
