/** Makes a mistake in a laboratory that is healthy, shows it, and mends it. Runs in a browser, too. */
import type { LabEvent } from "../event.ts";
import type { Laboratory } from "../laboratory.ts";
import type { ScenarioName } from "../network/plan.ts";
import { HEALTHY } from "./healthy.ts";
import { goneLook, type Line, type Look, type Mistake } from "./mistake.ts";
import { type Language, WORDS } from "./words.ts";

type Tell = (event: LabEvent) => void;

/** A machine that is busy may be late with a frame or an answer. */
const LOOKS_MAX = 4;
/** Until a listener listens. */
const LISTENING_MS = 400;

/** A line of the laboratory's own building, or of a mistake, was refused: the laboratory is not what it should be. */
export class LineRefused extends Error {
  override readonly name = "LineRefused";
}

export async function build(laboratory: Laboratory, scenario: ScenarioName): Promise<void> {
  await type(laboratory, HEALTHY[scenario], () => undefined);
}

/** All four steps of a mistake. The laboratory is healthy again afterwards. */
export async function perform(
  laboratory: Laboratory,
  mistake: Mistake,
  language: Language,
  tell: Tell,
): Promise<void> {
  tell({ kind: "step", number: 1, title: WORDS.broken[language] });
  if (mistake.breaking.length === 0) tell({ kind: "text", text: WORDS.nothingTyped[language] });
  await type(laboratory, mistake.breaking, tell);

  tell({ kind: "step", number: 2, title: WORDS.seen[language] });
  const seen = await witness(laboratory, mistake);
  tell(commandOf(mistake.symptom, seen.symptom));
  tell(statementOf(mistake.complaint[language], mistake.symptom, seen.symptom));

  tell({ kind: "step", number: 3, title: WORDS.why[language] });
  tell({ kind: "text", text: mistake.why[language] });
  tell(commandOf(mistake.frames, seen.frames));
  tell(statementOf(mistake.framesSay[language], mistake.frames, seen.frames));

  tell({ kind: "step", number: 4, title: WORDS.mended[language] });
  await type(laboratory, mistake.cure, tell);
  const gone = goneLook(mistake);
  const output = await lookUntilShown(laboratory, gone);
  tell(commandOf(gone, output));
  tell(statementOf(WORDS.gone[language], gone, output));
  await type(laboratory, mistake.restoring ?? [], () => undefined);
}

/** Types lines that have to work. */
export async function type(
  laboratory: Laboratory,
  lines: readonly Line[],
  tell: Tell,
): Promise<void> {
  for (const { on, line } of lines) {
    const { status, output } = await laboratory.run(on, line);
    tell({ kind: "command", host: on, command: line, output });
    if (status !== 0) {
      throw new LineRefused(`${on}: '${line}' ended with code ${status}: ${output.trim()}`);
    }
  }
}

/** The symptom's output and that of the listener beside it: as soon as both show what they should, or the last ones. */
export async function witness(
  laboratory: Laboratory,
  { symptom, frames }: Mistake,
): Promise<{ readonly symptom: string; readonly frames: string }> {
  const seen = { symptom: "", frames: "" };
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const listening = laboratory.run(frames.on, frames.line);
    await new Promise((resolve) => setTimeout(resolve, laboratory.listensAfterMs ?? LISTENING_MS));
    const asked = await laboratory.run(symptom.on, symptom.line);
    const heard = await listening;
    // One that has shown it stays: what the other needs may come another time.
    if (!symptom.shows.test(seen.symptom)) seen.symptom = asked.output;
    if (!frames.shows.test(seen.frames)) seen.frames = heard.output;
    if (symptom.shows.test(seen.symptom) && frames.shows.test(seen.frames)) break;
  }
  return seen;
}

export async function lookUntilShown(
  laboratory: Laboratory,
  { on, line, shows }: Look,
): Promise<string> {
  let output = "";
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    ({ output } = await laboratory.run(on, line));
    if (shows.test(output)) break;
  }
  return output;
}

function commandOf({ on, line }: Line, output: string): LabEvent {
  return { kind: "command", host: on, command: line, output };
}

function statementOf(says: string, { shows }: Look, output: string): LabEvent {
  const ok = shows.test(output);
  return { kind: "statement", says, ok, evidence: ok ? evidenceIn(output, shows) : output };
}

/** The line of an output that shows it; of several the first. */
function evidenceIn(output: string, shows: RegExp): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => shows.test(line)) ?? lines.join("\n");
}
