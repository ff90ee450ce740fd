/** `sluice history`: what was changed, by whom and when. */

import type { HistoryReply } from "../../api/messages.ts";
import { formatAuthor } from "../../control/author.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";

const HELP = `Usage: sluice history [-n COUNT] [--json]

What was changed, the newest first: its generation, when, by whom (the user of the process that asked for it, as the kernel
says; or what of the daemon's own doing it was), and what. Commands that came together are one generation. The last 1000
are kept, or 8 MiB of them, beside the state file.

  -n COUNT     so many (default: 20)
      --json   one JSON object with all: { generation, entries: [{ generation, at, by, added, changed, removed, says }] }
  -h, --help   this

See also: sluice diff, sluice rollback.
Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 nobody could be asked, 2 wrong arguments.
`;

const COUNT_DEFAULT = 20;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("history", around, async (client) => {
    const { help, json, n } = readArguments(args, OPTIONS, { allowPositionals: false }).values;
    if (help) {
      await around.write(HELP);
      return EXIT.done;
    }
    if (n !== undefined && !/^[1-9]\d{0,6}$/.test(n)) {
      throw new UsageError(`-n ${n}: expected a whole number above 0`);
    }
    const told = await client.call("history", {}, undefined);
    await around.write(
      json ? `${JSON.stringify(told, undefined, 2)}\n` : page(told, Number(n ?? COUNT_DEFAULT)),
    );
    return EXIT.done;
  });
}

function page({ entries }: HistoryReply, most: number): string {
  if (entries.length === 0) return "Nothing was changed that is known of.\n";
  return entries
    .slice(0, most)
    .map(({ generation, at, by, added, changed, removed, says }) => {
      const more = added + changed + removed - says.length;
      const lines = [
        `${generation}  ${at.replace("T", " ").replace(/\.\d+Z$/, "Z")}  ${formatAuthor(by)}`,
        ...says.map((each) => `    ${each}`),
        ...(more > 0 ? [`    and ${more} more`] : []),
      ];
      return lines.map((line) => `${line}\n`).join("");
    })
    .join("");
}

const OPTIONS = { n: { type: "string", short: "n" }, json: FLAG } as const;
