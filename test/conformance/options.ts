/** The command line of `npm run conformance`. */
import { parseArgs } from "node:util";

export interface Options {
  /** Only cases whose "group: name" holds this text. */
  readonly filter: string;
  readonly isJson: boolean;
  readonly seed: number;
  /** How many command lines are composed. */
  readonly generated: number;
  readonly timeoutMs: number;
  /** Writes docs/conformance.md. */
  readonly writesDocs: boolean;
  readonly isHelp: boolean;
}

export const HELP = `\
npm run conformance -- [OPTION]...
Runs every case on the kernel's own IPVS, in User Mode Linux, and on ours, and shows what differs.

  --filter TEXT     only cases with TEXT in "group: name"
  --json            one JSON object on stdout instead of text
  --seed N          for the composed command lines (default 1)
  --generated N     how many command lines are composed (default 2000)
  --timeout S       seconds after which the guest is ended (default 600)
  --write-docs      writes docs/conformance.md
  --help
Exit code: 0 no difference but known ones (docs/differences.md), 1 differences, 2 it could not run.
`;

export function readOptions(words: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      filter: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      generated: { type: "string", default: "2000" },
      timeout: { type: "string", default: "600" },
      "write-docs": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return {
    filter: values.filter,
    isJson: values.json,
    seed: count("seed", values.seed),
    generated: count("generated", values.generated),
    timeoutMs: 1000 * count("timeout", values.timeout),
    writesDocs: values["write-docs"],
    isHelp: values.help,
  };
}

function count(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`--${name} ${text}: expected a whole number`);
  return Number(text);
}
