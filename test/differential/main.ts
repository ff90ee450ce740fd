/** `npm run differential`: random worlds for the program in the kernel and the director, until one shows a difference. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { saveFound } from "./found.ts";
import { divide, formatFound, type Search } from "./seek.ts";
import { seekTogether } from "./together.ts";

/** A world's: longer ones than the tests', for speed. */
const STEPS = 5_000;

const HELP = `npm run differential -- [--seed S] [--frames N] [--hook tc|xdp] [--processes P]
Has a director decide about random packets alone, and another together with the program that forwards known flows
(bpf/director.bpf.c, xdp.bpf.c), and shows the shortest steps after which they differ. They are kept in test/differential/found/,
from where every test run plays them again. Needs root.

  --seed S       where to begin (default 1)
  --frames N     how many packets and commands (default 1000000)
  --hook HOOK    where packets from the wire meet the program: tc (default) or xdp
  --processes P  how many share the worlds, each until it finds a difference (default: as many as there are processors)
Exit code: 0 no difference, 1 one was found, 2 wrong usage.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const options = read(words);
  if (options === undefined) {
    process.stderr.write(HELP);
    return words.includes("--help") ? 0 : 2;
  }
  const { processes, ...search } = options;
  const results = await seekTogether(divide({ ...search, steps: STEPS }, processes), (done) => {
    process.stderr.write(
      `differential: ${done.toLocaleString("en")} of ${search.frames.toLocaleString("en")}\n`,
    );
  });
  const found = results.flatMap((result) => result.found ?? []);
  for (const each of found) {
    process.stdout.write(`${formatFound(each)}\nkept in ${saveFound(each)}\n`);
  }
  if (found.length > 0) return 1;
  const [frames, forwarded] = (["frames", "forwarded"] as const).map((key) =>
    results.reduce((sum, result) => sum + result[key], 0).toLocaleString("en"),
  );
  process.stdout.write(
    `${frames} packets and commands, ${forwarded} forwarded by the program: no difference\n`,
  );
  return 0;
}

function read(words: readonly string[]): (Search & { readonly processes: number }) | undefined {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        seed: { type: "string", default: "1" },
        frames: { type: "string", default: "1000000" },
        hook: { type: "string", default: "tc" },
        processes: { type: "string", default: String(availableParallelism()) },
      },
    });
    const [seed, frames, processes] = [values.seed, values.frames, values.processes].map((text) =>
      /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN,
    ) as [number, number, number];
    const { hook } = values;
    if (hook !== "tc" && hook !== "xdp") return undefined;
    return seed >= 0 && frames > 0 && processes > 0 ? { seed, frames, hook, processes } : undefined;
  } catch {
    return undefined;
  }
}
