/** `npm run conformance`: the kernel's own IPVS beside ours. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "./case.ts";
import { allCases } from "./cases/index.ts";
import { KernelSide } from "./kernel-side.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { DirectorSide } from "./ours/director-side.ts";
import { Place } from "./place.ts";
import { compare } from "./report/compare.ts";
import { matrix } from "./report/matrix.ts";
import { isAgreeing, type Outcome, render, type Summary, summarize } from "./report/outcome.ts";

const DOCUMENT = join(import.meta.dirname, "../../docs/conformance.md");

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(words);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  }
  if (options.isHelp) {
    process.stdout.write(HELP);
    return 0;
  }
  const cases = allCases(options).filter((each) => fullName(each).includes(options.filter));
  if (cases.length === 0) {
    process.stderr.write(`No case has ${JSON.stringify(options.filter)} in its name\n`);
    return 2;
  }
  const kernel = new KernelSide(options);
  const expected = await kernel.perform(cases);
  const times = expected.map((reports) => {
    const [first] = reports;
    return reports.map(({ atMs }) => atMs - (first?.atMs ?? 0));
  });
  const actual = await new DirectorSide().perform(cases, times);
  const outcomes: Outcome[] = cases.map((each, index) => ({
    case: each,
    differences: compare(each, new Place(index), expected[index]!, actual[index]!),
  }));
  const summary: Summary = { kernel: kernel.version, ...summarize(outcomes) };
  process.stdout.write(
    options.isJson ? `${JSON.stringify(summary, undefined, 2)}\n` : render(outcomes, summary),
  );
  if (options.writesDocs) {
    if (options.filter !== "")
      process.stderr.write("docs/conformance.md is not written: not all cases ran\n");
    else writeFileSync(DOCUMENT, matrix(summary, new Date()));
  }
  return outcomes.every(isAgreeing) ? 0 : 1;
}

function fullName({ group, name }: Case): string {
  return `${group}: ${name}`;
}
