/** A lesson: steps that one reads, types and looks at. Which of them are done follows from what was typed. */

import type { ScenarioName } from "../../../src/lab/network/plan.ts";
import type { Language } from "../frame/preferences.ts";
import type { Ran } from "./model.ts";

export type Text = Readonly<Record<Language, string>>;

export interface LessonStep {
  readonly title?: Text;
  readonly says?: Text;
  /** Lines to type, in their order. */
  readonly lines: readonly LessonLine[];
  /** What is told when all lines are done: the answer to what one was to think about. */
  readonly conclusion?: Text;
}

export interface LessonLine {
  readonly host: string;
  readonly line: string;
  /** What its output has to show; left out: that it was done. */
  readonly shows?: RegExp;
}

export interface Lesson {
  readonly name: string;
  readonly title: Text;
  readonly scenario: ScenarioName;
  /** Whether the hosts are as the handbook leaves them, or have nothing but their cards. */
  readonly isBuilt: boolean;
  readonly steps: readonly LessonStep[];
}

export type LineState = "open" | "done" | "wrong";

/**
 * How far each line of each step is: lines count in their order, each by what was typed after the one before was done. So a line
 * that stands twice in a lesson is to be typed twice.
 */
export function progressOf({ steps }: Lesson, ran: readonly Ran[]): LineState[][] {
  let from = 0;
  let isOpen = true;
  return steps.map(({ lines }) =>
    lines.map((wanted): LineState => {
      if (!isOpen) return "open";
      let last: Ran | undefined;
      for (let index = from; index < ran.length; index++) {
        const each = ran[index]!;
        if (each.host !== wanted.host || normal(each.line) !== normal(wanted.line)) continue;
        last = each;
        if (!isShown(wanted, each)) continue;
        from = index + 1;
        return "done";
      }
      isOpen = false;
      return last === undefined ? "open" : "wrong";
    }),
  );
}

function isShown({ shows }: LessonLine, { output, status }: Ran): boolean {
  return shows === undefined ? status === 0 : shows.test(output);
}

function normal(line: string): string {
  return line.trim().replaceAll(/\s+/g, " ");
}
