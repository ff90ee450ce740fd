/** A lesson for each classic mistake: it is made, seen, explained, and mended. */
import { MISTAKES } from "../../../src/lab/mistakes/index.ts";
import { goneLook, type Line, type Look, type Mistake } from "../../../src/lab/mistakes/mistake.ts";
import type { Lesson, LessonLine } from "./lesson.ts";

export const MISTAKE_LESSONS: readonly Lesson[] = MISTAKES.map(lessonOf);

/** The lesson shows frames by themselves, so that nobody has to listen beside. */
function lessonOf(mistake: Mistake): Lesson {
  const { name, title, laboratory, breaking, complaint, symptom, why, framesSay, cure } = mistake;
  return {
    name,
    title,
    scenario: laboratory,
    isBuilt: true,
    steps: [
      {
        title: { en: "Break it", zh: "弄坏它" },
        ...(breaking.length > 0
          ? {}
          : {
              says: {
                en: "Nothing on the hosts: the mistake is where it is asked from.",
                zh: "主机上什么都没改：错在从哪里访问。",
              },
            }),
        lines: breaking.map(lineOf),
      },
      {
        title: { en: "What one sees", zh: "看到的现象" },
        says: complaint,
        lines: [lookOf(symptom)],
        conclusion: {
          en: `Look at the frames: play, or go step by step. ${framesSay.en}`,
          zh: `看看数据帧：播放，或逐步查看。${framesSay.zh}`,
        },
      },
      {
        title: { en: "Why", zh: "为什么" },
        says: why,
        lines: [],
      },
      {
        title: { en: "What mends it", zh: "如何修复" },
        lines: [...cure.map(lineOf), lookOf(goneLook(mistake))],
        conclusion: { en: "The symptom is gone.", zh: "现象消失了。" },
      },
    ],
  };
}

function lineOf({ on, line }: Line): LessonLine {
  return { host: on, line };
}

function lookOf({ on, line, shows }: Look): LessonLine {
  return { host: on, line, shows };
}
