/** A call that the API itself cannot take, before any command is tried. */
import type { Problem } from "../control/wire-schema.ts";

export class BadRequest extends Error {
  override readonly name = "BadRequest";
  readonly problems: readonly Problem[];

  constructor(message: string, problems: readonly Problem[] = []) {
    super(message);
    this.problems = problems;
  }
}

export class TooLarge extends Error {
  override readonly name = "TooLarge";
}

/** The caller went away before its call was whole. */
export class BrokenOff extends Error {
  override readonly name = "BrokenOff";
}

/** Somebody else changed something since the caller looked. */
export class ChangedMeanwhile extends Error {
  override readonly name = "ChangedMeanwhile";

  constructor(expected: number, found: number) {
    super(
      `Somebody else changed something meanwhile: generation ${found} is in force, not ${expected}. See sluice history, and try again`,
    );
  }
}
