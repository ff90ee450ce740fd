/** A laboratory's script as data, and the one loop that performs it. */
import type { Finding, LabEvent } from "../event.ts";
import type { CommandResult, RunLimits } from "../network/host.ts";
import type { HostName } from "../network/plan.ts";

/** What a step may do. Every command it runs is shown, as a learner would type it. */
export interface Stage {
  /** Runs a command that has to work: when it fails there is no point in going on. */
  run(host: HostName, command: string, limits?: RunLimits): Promise<CommandResult>;
  /** Runs a command whose failure is something to look at. */
  attempt(host: HostName, command: string, limits?: RunLimits): Promise<CommandResult>;
  progress(text: string): void;
}

export interface Statement {
  /** A whole sentence that can be true or false. */
  readonly says: string;
  check(stage: Stage): Promise<Finding>;
}

export interface Step {
  readonly title: string;
  /** What the step does, before its statements are checked. */
  perform?(stage: Stage): Promise<void>;
  readonly statements: readonly Statement[];
}

/** Performs every step in turn. A statement that fails does not stop it; a LabFailure does, and is thrown. */
export async function perform(
  steps: readonly Step[],
  stage: Stage,
  emit: (event: LabEvent) => void,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    emit({ kind: "step", number: index + 1, title: step.title });
    await step.perform?.(stage);
    for (const statement of step.statements) {
      emit({ kind: "statement", says: statement.says, ...(await statement.check(stage)) });
    }
  }
}
