/** `sluice lab mistake`: classic mistakes, made and mended before one's eyes, or to be found. */
import type { LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";
import { MISTAKES } from "../mistakes/index.ts";
import { perform } from "../mistakes/perform.ts";
import { planOf, SCENARIO_NAMES } from "../network/plan.ts";
import type { MistakeOptions } from "../options.ts";
import { EXIT } from "../run/outside.ts";
import { humanPresenter, jsonPresenter } from "../run/presenter.ts";
import { inLaboratory } from "./in-laboratory.ts";
import { json, table } from "./list.ts";

/** Resolves to the exit code. */
export async function teach(
  options: MistakeOptions,
  stateFile: string,
  command: string,
  hasColours: boolean,
): Promise<number> {
  switch (options.action) {
    case "list":
      process.stdout.write(options.json ? json() : table(options.language));
      return EXIT.ok;
    case "perform":
      return await performAll(options, command, hasColours);
    case "quiz": {
      const { quiz } = await import("./quiz.ts");
      return await quiz(options, stateFile, command, hasColours);
    }
  }
}

/** One laboratory for all mistakes that are made in it. */
async function performAll(
  { names, language, json: asJson, isSimulated }: MistakeOptions,
  command: string,
  hasColours: boolean,
): Promise<number> {
  // It gives its rights up for a user of its own, whom a user namespace does not have.
  if (!isSimulated && process.getuid!() !== 0) {
    throw new LabFailure(
      "tcpdump, which shows the frames, does not work without root: run it as root, or with --simulated",
    );
  }
  const presenter = asJson ? jsonPresenter() : humanPresenter(hasColours, command, language);
  let hasFailed = false;
  const tell = (event: LabEvent): void => {
    if (event.kind === "statement" && !event.ok) hasFailed = true;
    process.stdout.write(presenter.show(event));
  };
  process.stdout.once("error", () => process.exit(141));
  for (const scenario of SCENARIO_NAMES) {
    const mistakes = MISTAKES.filter(
      ({ name, laboratory }) => laboratory === scenario && names.includes(name),
    );
    if (mistakes.length === 0) continue;
    process.stdout.write(presenter.begin(planOf(scenario, "inet")));
    const code = await inLaboratory(scenario, isSimulated, async ({ laboratory }) => {
      for (const mistake of mistakes) {
        tell({ kind: "heading", name: mistake.name, title: mistake.title[language] });
        await perform(laboratory, mistake, language, tell);
      }
    });
    if (code !== undefined) return code;
  }
  process.stdout.write(presenter.finish());
  return hasFailed ? EXIT.statementFailed : EXIT.ok;
}
