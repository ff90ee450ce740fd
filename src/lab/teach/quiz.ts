/** `sluice lab mistake --quiz`: something is wrong; the learner looks around on the hosts and says what. */
import { randomInt } from "node:crypto";
import { createInterface } from "node:readline";
import type { LabEvent } from "../event.ts";
import type { Laboratory } from "../laboratory.ts";
import { MISTAKES } from "../mistakes/index.ts";
import { goneLook, type Mistake } from "../mistakes/mistake.ts";
import { lookUntilShown, type } from "../mistakes/perform.ts";
import type { Language } from "../mistakes/words.ts";
import { HOST_NAMES, planOf } from "../network/plan.ts";
import type { MistakeOptions } from "../options.ts";
import { EXIT } from "../run/outside.ts";
import { humanPresenter } from "../run/presenter.ts";
import { inLaboratory } from "./in-laboratory.ts";
import { table } from "./list.ts";
import { QUIZ_WORDS } from "./quiz-words.ts";

/** Exits with 0 once the answer is right, with 1 when the learner gives up. */
export async function quiz(
  { names, language, isSimulated }: MistakeOptions,
  stateFile: string,
  command: string,
  hasColours: boolean,
): Promise<number> {
  const chosen = names[0] ?? MISTAKES[randomInt(MISTAKES.length)]!.name;
  const mistake = MISTAKES.find(({ name }) => name === chosen)!;
  const presenter = humanPresenter(hasColours, command, language);
  const write = (text: string): void => void process.stdout.write(text);
  const tell = (event: LabEvent): void => write(presenter.show(event));
  const words = QUIZ_WORDS[language];
  let isFound = false;
  write(presenter.begin(planOf(mistake.laboratory, "inet")));
  write(`${words.building}\n`);
  const code = await inLaboratory(mistake.laboratory, isSimulated, async (taught) => {
    const { laboratory, remember } = taught;
    await type(laboratory, mistake.breaking, () => undefined);
    using _remembered = remember?.(stateFile);
    const { on, line } = mistake.symptom;
    const output = await lookUntilShown(laboratory, mistake.symptom);
    tell({ kind: "heading", name: "?", title: mistake.complaint[language] });
    tell({ kind: "command", host: on, command: line, output });
    write(words.rules(remember === undefined ? undefined : command));
    isFound = await guess(laboratory, mistake, language, tell);
    tell({ kind: "heading", name: mistake.name, title: mistake.title[language] });
    for (const { on: host, line: typed } of mistake.breaking) {
      tell({ kind: "command", host, command: typed, output: "" });
    }
    tell({ kind: "text", text: mistake.why[language] });
    await type(laboratory, mistake.cure, tell);
    const gone = goneLook(mistake);
    const cured = await lookUntilShown(laboratory, gone);
    tell({ kind: "command", host: gone.on, command: gone.line, output: cured });
  });
  return code ?? (isFound ? EXIT.ok : EXIT.statementFailed);
}

/** Whether it was found, before the learner gave up or had nothing more to say. */
async function guess(
  laboratory: Laboratory,
  mistake: Mistake,
  language: Language,
  tell: (event: LabEvent) => void,
): Promise<boolean> {
  const words = QUIZ_WORDS[language];
  const write = (text: string): void => void process.stdout.write(text);
  const { stdin: input, stdout: output } = process;
  const lines = createInterface({ input, output, terminal: input.isTTY && output.isTTY });
  // Asking after the last line has come would throw.
  let isOpen = true;
  lines.once("close", () => {
    isOpen = false;
  });
  lines.setPrompt(words.prompt);
  lines.prompt();
  try {
    for await (const line of lines) {
      const [first = "", ...rest] = line.trim().split(/\s+/);
      const named = MISTAKES[Number(first) - 1] ?? MISTAKES.find(({ name }) => name === first);
      if (first === "list") {
        write(table(language));
      } else if (first === "quit") {
        return false;
      } else if ((HOST_NAMES as readonly string[]).includes(first) && rest.length > 0) {
        const typed = line.trim().slice(first.length).trim();
        const said = await laboratory.run(first, typed);
        write(said.output.endsWith("\n") || said.output === "" ? said.output : `${said.output}\n`);
      } else if (named === mistake) {
        tell({ kind: "statement", says: words.right, ok: true, evidence: named.title[language] });
        return true;
      } else if (named !== undefined) {
        const evidence = `${words.wouldBe(named.name)} ${named.complaint[language]}\n${named.symptom.line}`;
        tell({ kind: "statement", says: words.wrong, ok: false, evidence });
      } else if (first !== "") {
        write(words.unknown(first));
      }
      if (isOpen) lines.prompt();
    }
    return false;
  } finally {
    lines.close();
  }
}
