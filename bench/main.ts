/** `npm run bench`: runs the benchmarks and writes RESULTS.md. */
import { writeFileSync } from "node:fs";
import { LabFailure } from "../src/lab/failure.ts";
import { INSIDE, measureEndToEnd, runInside } from "./end-to-end.ts";
import { measureMemory } from "./memory.ts";
import { describeRun, type Figures, report } from "./report.ts";

const USAGE = `Usage: npm run bench -- [memory | end-to-end] [--json]

Runs both benchmarks, about three minutes, and writes bench/RESULTS.md; or one of them, and
writes nothing. The figures go to standard output (--json: as JSON), progress to standard error.
`;
const USAGE_EXIT_CODE = 2;
const RESULTS = new URL("RESULTS.md", import.meta.url);

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words[0] === INSIDE) await runInside();
  const wanted = words.filter((word) => word !== "--json");
  const isOne = wanted[0] === "memory" || wanted[0] === "end-to-end";
  if (wanted.length > (isOne ? 1 : 0)) {
    process.stderr.write(USAGE);
    return wanted[0] === "--help" || wanted[0] === "-h" ? 0 : USAGE_EXIT_CODE;
  }
  try {
    const figures: Figures = {
      run: describeRun(),
      ...(wanted[0] === "end-to-end" ? {} : { memory: measureMemory(say("memory")) }),
      ...(wanted[0] === "memory" ? {} : { endToEnd: await measureEndToEnd(say("end to end")) }),
    };
    const text = report(figures);
    process.stdout.write(words.includes("--json") ? `${JSON.stringify(figures, null, 2)}\n` : text);
    if (!isOne) writeFileSync(RESULTS, text);
    return 0;
  } catch (error) {
    if (!(error instanceof LabFailure)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    return 1;
  }
}

function say(benchmark: string): (text: string) => void {
  return (text) => process.stderr.write(`bench: ${benchmark}: ${text}\n`);
}
