/** All lessons: the handbook's at once, those of the classic mistakes when somebody looks for them. */
import { Store } from "../frame/store.ts";
import { HANDBOOK } from "./handbook.ts";
import type { Lesson } from "./lesson.ts";

export interface Lessons {
  readonly handbook: readonly Lesson[];
  /** Undefined until they are loaded. */
  readonly mistakes: readonly Lesson[] | undefined;
  /** The server has them no more. */
  readonly isMissing: boolean;
}

export const lessons = new Store<Lessons>({
  handbook: HANDBOOK,
  mistakes: undefined,
  isMissing: false,
});

export async function loadMistakes(): Promise<void> {
  if (lessons.value.mistakes !== undefined) return;
  try {
    const { MISTAKE_LESSONS } = await import("./mistake-lessons.ts");
    lessons.set({ ...lessons.value, mistakes: MISTAKE_LESSONS });
  } catch {
    lessons.set({ ...lessons.value, mistakes: [], isMissing: true });
  }
}

export function inOrder({ handbook, mistakes = [] }: Lessons): readonly Lesson[] {
  return [...handbook, ...mistakes];
}
