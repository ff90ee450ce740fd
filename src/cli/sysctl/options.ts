/** What `sluice sysctl` is asked for: the options of procps' sysctl, as far as they mean something here. */
import { FLAG, readArguments } from "../arguments.ts";
import { UsageError } from "../question.ts";

export interface SysctlOptions {
  readonly isHelp: boolean;
  /** Lists every knob. */
  readonly isAll: boolean;
  /** How what is read or set is printed. */
  readonly form: "line" | "value" | "name" | "bare value" | "json";
  /** What is set is not printed. */
  readonly isQuiet: boolean;
  /** Unknown names are passed over. */
  readonly ignoresUnknown: boolean;
  /** Every word must set something. */
  readonly isWriting: boolean;
  /** Checks and prints, but sets nothing. */
  readonly isDryRun: boolean;
  readonly pattern: RegExp | undefined;
  /** Files with settings, "-" for standard input; undefined: the words are names and settings themselves. */
  readonly files: readonly string[] | undefined;
  readonly words: readonly string[];
}

export const SYSCTL_HELP = `Usage: sluice sysctl [options] [NAME | NAME=VALUE]...

Reads and sets the running daemon's knobs as sysctl does the kernel's: names are net.ipv4.vs.NAME or
net/ipv4/vs/NAME; docs/sysctls.md explains each. Sluice keeps what is set over a restart.

  -a, -A, -X, --all     list every knob
  -n, --values          print values without names
  -N, --names           print names without values
  -b, --binary          print values without names and line ends
      --json            print one JSON object
  -r, --pattern REGEX   only names that match
  -q, --quiet           do not print what is set
  -w, --write           set; a word that sets nothing is a mistake
  -e, --ignore          pass over unknown names
  -p, -f, --load FILE   set what the lines of FILE say, as in sysctl.conf; more files may follow; - is
                        standard input
      --dry-run         check and print, but set nothing
  -o, -x                do nothing
  -h, -d, --help        this

Several values in one call are all set, or, when one is refused, none. (sysctl would set the others.)
Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 something was refused or could not be done.
`;

export function parseSysctlOptions(args: readonly string[]): SysctlOptions {
  const { values, positionals } = readArguments(args, OPTIONS);
  const isLoading = values.load !== undefined || values.f !== undefined;
  const files = [...(values.load ?? []), ...(values.f ?? []), ...positionals];
  const isAll = values.all || values.A || values.X;
  if (isAll && (isLoading || positionals.length > 0)) {
    throw new UsageError("--all lists every knob: it takes no names, values or files");
  }
  const isHelp = values.help || values.d;
  if (!isHelp && !isAll && !isLoading && positionals.length === 0) {
    throw new UsageError("no variables specified");
  }
  return {
    isHelp,
    isAll,
    form: formOf(values),
    isQuiet: values.quiet,
    ignoresUnknown: values.ignore,
    isWriting: values.write,
    isDryRun: values["dry-run"],
    pattern: values.pattern === undefined ? undefined : toPattern(values.pattern),
    files: isLoading ? files : undefined,
    words: isLoading ? [] : positionals,
  };
}

const flag = (short: string) => ({ ...FLAG, short }) as const;

const OPTIONS = {
  all: flag("a"),
  A: flag("A"),
  X: flag("X"),
  values: flag("n"),
  names: flag("N"),
  binary: flag("b"),
  json: FLAG,
  pattern: { type: "string", short: "r" },
  quiet: flag("q"),
  write: flag("w"),
  ignore: flag("e"),
  load: { type: "string", short: "p", multiple: true },
  f: { type: "string", short: "f", multiple: true },
  "dry-run": FLAG,
  o: flag("o"),
  x: flag("x"),
  d: flag("d"),
} as const;

/** sysctl's own precedence where several are asked for. */
function formOf(asked: Readonly<Record<"json" | "binary" | "names" | "values", boolean>>) {
  if (asked.json) return "json";
  if (asked.binary) return "bare value";
  if (asked.names) return "name";
  return asked.values ? "value" : "line";
}

function toPattern(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch (error) {
    throw new UsageError(`--pattern: ${(error as Error).message}`);
  }
}
