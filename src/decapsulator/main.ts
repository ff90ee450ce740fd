/** `sluice decapsulate`: runs a decapsulator until a signal, and tells what it counted. */
import { LastResort } from "../daemon/last-resort.ts";
import { Outlet } from "../daemon/outlet.ts";
import { Decapsulator } from "./decapsulator.ts";
import { type CommandOptions, DECAPSULATE_HELP, parseOptions, UsageError } from "./options.ts";

const FD = { out: 1, error: 2 } as const;
/** How long the end waits for a slow reader. */
const PATIENCE_MS = 1_000;

const EXIT = { ended: 0, failed: 1, usage: 2 } as const;

/** Resolves to the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let options: CommandOptions | "help";
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(complaint(`${error.message}\nTry 'sluice decapsulate --help'.`));
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
  // Whoever reads, however slowly: the packets go on.
  const out = outlet(FD.out);
  const error = outlet(FD.error);
  const say = (message: string): void => error.write(complaint(message));
  using resort = new LastResort({
    tell: (bug) => say(`a bug, which costs what it was about: ${stackOf(bug)}`),
    end: (bug) => {
      say(`ended by a bug: ${stackOf(bug)}`);
      process.exit(EXIT.failed);
    },
  });
  try {
    await using decapsulator = await Decapsulator.open({
      ...options,
      events: { warn: say, inform: say },
    });
    const tell = (): void => out.write(table(decapsulator.counts()));
    process.on("SIGUSR1", tell);
    out.write(`${describe(options)}\n`);
    resort.isServing = true;
    await asked;
    resort.isServing = false;
    process.off("SIGUSR1", tell);
    tell();
  } catch (fault) {
    say((fault as Error).message);
    return EXIT.failed;
  } finally {
    await Promise.all([out.end(PATIENCE_MS), error.end(PATIENCE_MS)]);
  }
  return EXIT.ended;
}

function outlet(fd: number): Outlet {
  const made: Outlet = new Outlet(fd, {
    onLost: (count) => made.write(complaint(`${count} messages are missing here`)),
  });
  return made;
}

function stackOf(bug: unknown): string {
  return bug instanceof Error ? (bug.stack ?? bug.message) : String(bug);
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

function complaint(message: string): string {
  return `sluice decapsulate: ${message}\n`;
}
