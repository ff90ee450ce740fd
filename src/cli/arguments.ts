/** The words behind a command's name: options as parseArgs() of node:util has them, and `--help`, which all have. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { UsageError } from "./question.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** An option without a value. */
export const FLAG = { type: "boolean", default: false } as const;
const HELP = { ...FLAG, short: "h" } as const;

/** Throws a UsageError. `allowPositionals`: whether words may stand there that belong to no option. */
export function readArguments<const Known extends Options>(
  args: readonly string[],
  known: Known,
  { allowPositionals = true }: { readonly allowPositionals?: boolean } = {},
) {
  const options: Known & { readonly help: typeof HELP } = { ...known, help: HELP };
  try {
    return parseArgs({ args: [...args], allowPositionals, options });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Its first sentence says what is wrong; the others are about Node's own conventions.
    throw new UsageError(error.message.replace(/\. .*/s, ""));
  }
}

/** As readArguments(), where no option has a value. */
export function readFlags<Flag extends string>(args: readonly string[], flags: readonly Flag[]) {
  const { values, positionals } = readArguments(
    args,
    Object.fromEntries(flags.map((name) => [name, FLAG])),
  );
  return { flags: values as Record<Flag | "help", boolean>, words: positionals };
}
