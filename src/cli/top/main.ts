/** `sluice top`: services and their servers as they are now, on a whole screen. */
import type { Client } from "../../api/client.ts";
import { socketPath } from "../../api/routes.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { plainText } from "./lines.ts";
import { Looker } from "./look.ts";
import { wholePage } from "./page.ts";
import { rowsOf } from "./rows.ts";
import { type Scene, sceneOf } from "./scene.ts";
import { BEGIN, SORT_KEYS, type View } from "./view.ts";

const HELP = `Usage: sluice top [--interval SECONDS]
       sluice top --once|--json [--sort COLUMN]

Services and their servers as they are now: health, weights, connections, rates, what is wrong and where packets are lost.
Keys sort, filter, fold, drain and undrain; ? lists them, q ends. A daemon that goes away is said to be, and looked for.

      --interval SECONDS  how often to look, 0.2 to 60 (default: 1). Many servers take longer: the daemon has its rest
      --once              one page, as text
      --json              one JSON object: what the page is made of
      --sort COLUMN       name (default), health, weight, active, inactive, connections, packets or bytes
  -h, --help              this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 nobody could be asked, 2 wrong arguments, or no terminal to draw on.
`;

const INTERVAL_SECONDS = { least: 0.2, most: 60, otherwise: 1 };
const OPEN = { openAll: true, turned: new Set<string>() };
/** Of a page that no terminal shows: nothing is cut. */
const COLUMNS = 1_000;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("top", around, async (client) => {
    const { values } = readArguments(args, OPTIONS, { allowPositionals: false });
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const view: View = { ...BEGIN, sort: sortOf(values.sort) };
    const intervalMs = intervalOf(values.interval);
    if (values.json && values.once) throw new UsageError("--once and --json exclude each other");
    if (values.json) {
      await around.write(`${JSON.stringify(await sceneNow(client), undefined, 2)}\n`);
    } else if (values.once) {
      const scene = await sceneNow(client);
      const columns = process.stdout.columns || COLUMNS;
      const lines = wholePage(scene, rowsOf(scene, { ...view, folds: OPEN }), view, columns);
      await around.write(lines.map((line) => `${plainText(line)}\n`).join(""));
    } else {
      if (around.isTerminal !== true || !process.stdin.isTTY) {
        throw new UsageError(
          "there is no terminal to draw on: --once writes one page as text, --json one JSON object",
        );
      }
      await draw(around, { intervalMs, view });
    }
    return EXIT.done;
  });
}

async function sceneNow(client: Client): Promise<Scene> {
  return sceneOf(await new Looker(client).look(Date.now()), undefined);
}

async function draw(
  around: Around,
  { intervalMs, view }: { readonly intervalMs: number; readonly view: View },
): Promise<void> {
  // React's other self checks what developers of pages do, and remembers each frame.
  const { env } = process;
  env.NODE_ENV ??= "production";
  const { sit } = await import("./session.ts");
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, end);
  try {
    await sit({
      socketPath: socketPath(around.environment),
      intervalMs,
      view,
      signal: ended.signal,
    });
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}

function sortOf(word: string): View["sort"] {
  const known = SORT_KEYS.find((each) => each === word);
  if (known !== undefined) return known;
  throw new UsageError(`--sort ${word}: expected one of ${SORT_KEYS.join(", ")}`);
}

function intervalOf(word: string | undefined): number {
  const { least, most, otherwise } = INTERVAL_SECONDS;
  const seconds = word === undefined ? otherwise : Number(word);
  if (seconds >= least && seconds <= most) return seconds * 1_000;
  throw new UsageError(`--interval ${word}: expected seconds, from ${least} to ${most}`);
}

const OPTIONS = {
  once: FLAG,
  json: FLAG,
  interval: { type: "string" },
  sort: { type: "string", default: "name" },
} as const;
