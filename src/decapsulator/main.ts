/** `sluice decapsulate`: runs a decapsulator until a signal, and tells what it counted. */
import { Decapsulator } from "./decapsulator.ts";
import { type CommandOptions, DECAPSULATE_HELP, parseOptions, UsageError } from "./options.ts";

const EXIT = { ended: 0, failed: 1, usage: 2 } as const;

/** Resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let options: CommandOptions | "help";
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`${error.message}\nTry 'sluice decapsulate --help'.`);
    return EXIT.usage;
  }
  if (options === "help") {
    process.stdout.write(DECAPSULATE_HELP);
    return EXIT.ended;
  }
  return await run(options);
}

async function run(options: CommandOptions): Promise<number> {
  const asked = signal();
  // Nobody reads any more: the packets go on.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  try {
    await using decapsulator = await Decapsulator.open({
      ...options,
      events: { warn: complain, inform: complain },
    });
    const tell = (): void => {
      process.stdout.write(table(decapsulator.counts()));
    };
    process.on("SIGUSR1", tell);
    process.stdout.write(`${describe(options)}\n`);
    await asked;
    process.off("SIGUSR1", tell);
    tell();
  } catch (error) {
    complain((error as Error).message);
    return EXIT.failed;
  }
  return EXIT.ended;
}

function describe({ interfaces, guePort }: CommandOptions): string {
  const gue = guePort === undefined ? "" : `, GUE to port ${guePort}`;
  return `taking apart IP in IP, GRE${gue} on ${interfaces.join(", ")}`;
}

function table(counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return "no tunnel packets\n";
  const width = Math.max(...[...counts.keys()].map(({ length }) => length));
  return [...counts].map(([name, count]) => `${name.padEnd(width)} ${count}\n`).join("");
}

/** Resolves at the first SIGTERM or SIGINT; a second ends the process the hard way, as by default. */
function signal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}

function complain(message: string): void {
  process.stderr.write(`sluice decapsulate: ${message}\n`);
}
