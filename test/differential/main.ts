/** `npm run differential`: random worlds for the program in the kernel and the director, until one shows a difference. */
import { parseArgs } from "node:util";
import { saveFound } from "./found.ts";
import { formatFound, type Search, seek } from "./seek.ts";

/** A world's: longer ones than the tests', for speed. */
const STEPS = 20_000;

const HELP = `npm run differential -- [--seed S] [--frames N] [--hook tc|xdp]
Has a director decide about random packets alone, and another together with the program that forwards known flows
(bpf/director.bpf.c, xdp.bpf.c), and shows the shortest steps after which they differ. They are kept in test/differential/found/,
from where every test run plays them again. Needs root.

  --seed S      where to begin (default 1)
  --frames N    how many packets and commands (default 1000000)
  --hook HOOK   where packets from the wire meet the program: tc (default) or xdp
Exit code: 0 no difference, 1 one was found, 2 wrong usage.
`;

process.exitCode = main(process.argv.slice(2));

function main(words: readonly string[]): number {
  const options = read(words);
  if (options === undefined) {
    process.stderr.write(HELP);
    return words.includes("--help") ? 0 : 2;
  }
  const { found, frames, forwarded } = seek({ ...options, steps: STEPS }, (done) => {
    process.stderr.write(
      `differential: ${done.toLocaleString("en")} of ${options.frames.toLocaleString("en")}\n`,
    );
  });
  if (found !== undefined) {
    process.stdout.write(`${formatFound(found)}\nkept in ${saveFound(found)}\n`);
    return 1;
  }
  process.stdout.write(
    `${frames.toLocaleString("en")} packets and commands, ${forwarded.toLocaleString("en")} forwarded by the program: no difference\n`,
  );
  return 0;
}

function read(words: readonly string[]): Search | undefined {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        seed: { type: "string", default: "1" },
        frames: { type: "string", default: "1000000" },
        hook: { type: "string", default: "tc" },
      },
    });
    const [seed, frames] = [values.seed, values.frames].map((text) =>
      /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN,
    ) as [number, number];
    const { hook } = values;
    if (hook !== "tc" && hook !== "xdp") return undefined;
    return seed >= 0 && frames > 0 ? { seed, frames, hook } : undefined;
  } catch {
    return undefined;
  }
}
