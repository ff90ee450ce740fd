/** `sluice reasons`: where packets went, by counters with their words. */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../api/client.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";

const HELP = `Usage: sluice reasons [--all] [--watch] [--json]

How many packets left the director for which reason since the daemon started, and what each reason means.

      --all    also those that never happened
      --watch  then, each second, how many more there were; until Ctrl-C
      --json   JSON: an object { reason: { count, means } }; with --watch one each second
  -h, --help   this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 nobody could be asked, 2 wrong arguments.
`;

const INTERVAL_MS = 1_000;

export function main(args: readonly string[]): Promise<ExitCode> {
  const interrupted = new AbortController();
  void once(process, "SIGINT").then(() => interrupted.abort());
  return run(args, processSurroundings(), interrupted.signal);
}

interface Options {
  readonly all: boolean;
  readonly watch: boolean;
  readonly json: boolean;
}

type Counts = Readonly<Record<string, number>>;

export function run(
  args: readonly string[],
  around: Around,
  interrupted: AbortSignal,
): Promise<ExitCode> {
  return ask("reasons", around, async (client) => {
    const { help, ...options } = readArguments(args, OPTIONS, { allowPositionals: false }).values;
    if (help) {
      await around.write(HELP);
      return EXIT.done;
    }
    await show(client, options, around, interrupted);
    return EXIT.done;
  });
}

async function show(
  client: Client,
  options: Options,
  { write }: Around,
  interrupted: AbortSignal,
): Promise<void> {
  let before = await client.call("reasons", {}, undefined);
  const words = await client.call("reasonWords", {}, undefined);
  await write(render(before, words, options, ""));
  while (options.watch && !interrupted.aborted) {
    await sleep(INTERVAL_MS, undefined, { signal: interrupted }).catch(() => {});
    if (interrupted.aborted) return;
    const now = await client.call("reasons", {}, undefined);
    await write(render(difference(now, before), words, options, "+"));
    before = now;
  }
}

function difference(now: Counts, before: Counts): Counts {
  return Object.fromEntries(
    Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)]),
  );
}

/** `sign` stands before each count. Nothing at all when nothing moved on. */
function render(
  counts: Counts,
  words: Readonly<Record<string, string>>,
  { all, json }: Options,
  sign: "" | "+",
): string {
  const wanted = Object.entries(counts).filter(([, count]) => all || count !== 0);
  if (json) {
    const object = Object.fromEntries(
      wanted.map(([name, count]) => [name, { count, means: words[name] ?? "" }]),
    );
    return `${JSON.stringify(object, undefined, sign === "" ? 2 : 0)}\n`;
  }
  if (wanted.length === 0) return sign === "" ? "No packet has been seen yet.\n" : "";
  const rows = wanted.map(([name, count]) => [`${sign}${count}`, name, words[name] ?? ""] as const);
  const widest = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  const [countWidth, nameWidth] = [widest(0), widest(1)];
  const lines = rows.map(([count, name, means]) =>
    `${count.padStart(countWidth)}  ${name.padEnd(nameWidth)}  ${means}`.trimEnd(),
  );
  return `${lines.join("\n")}\n${sign === "" ? "" : "\n"}`;
}

const OPTIONS = { all: FLAG, watch: FLAG, json: FLAG };
