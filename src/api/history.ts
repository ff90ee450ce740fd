/** What was changed, by whom and when; what is different since; the way back. */
import { withPauses } from "../base/pauses.ts";
import type { Author } from "../control/author.ts";
import type { Control } from "../control/control.ts";
import { inTermsOfEach } from "../control/reload.ts";
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import { planOf } from "./configuration.ts";
import type { HistoryReply, Plan } from "./messages.ts";
import { mustBeInForce } from "./precondition.ts";
import { BadRequest } from "./problem.ts";

export async function historyOf(control: Control): Promise<HistoryReply> {
  const entries = await control.history.entries();
  return { generation: control.generation, entries };
}

/** What became different since `generation` was in force. */
export async function differenceSince(control: Control, generation: string): Promise<Plan> {
  const { state } = control;
  const then = await stateAt(control, state, generation);
  return planOf(then, state, await control.engine.services());
}

/** What going back to `generation` would change. */
export async function planRollback(control: Control, generation: string): Promise<Plan> {
  const { state } = control;
  const then = await stateAt(control, state, generation);
  const after = await withPauses(inTermsOfEach(state, then));
  return planOf(state, after, await control.engine.services());
}

/** Puts in force what was so as of `generation`, as one more of them. */
export async function rollback(
  control: Control,
  generation: string,
  expected: number | undefined,
  by: Author,
): Promise<Plan> {
  const traffic = await control.engine.services();
  const seen = control.state;
  const then = await stateAt(control, seen, generation);
  const { before, after } = await control.replace((state) => {
    mustBeInForce(control, expected, state);
    return inTermsOfEach(state, then);
  }, by);
  return planOf(before, after, traffic);
}

async function stateAt(control: Control, now: DesiredState, text: string): Promise<DesiredState> {
  if (!/^\d{1,15}$/.test(text)) {
    throw new BadRequest(`Cannot read ${JSON.stringify(text)} as a generation: expected a number`);
  }
  return await control.history.stateAt(Number(text), now, control.generation);
}
