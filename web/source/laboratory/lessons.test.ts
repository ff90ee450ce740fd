/** Each lesson, typed line by line into the simulation: each line shows what the lesson says it does. */
import { expect, test } from "vitest";
import { HANDBOOK } from "./handbook.ts";
import { progressOf } from "./lesson.ts";
import { MISTAKE_LESSONS } from "./mistake-lessons.ts";
import { Model } from "./model.ts";

const LESSONS = [...HANDBOOK, ...MISTAKE_LESSONS];

test.each(LESSONS.map((lesson) => [lesson.name, lesson] as const))("%s", async (_, lesson) => {
  const { scenario, isBuilt, steps } = lesson;
  const model = new Model();
  await model.open({ scenario, isBuilt, seed: 1, family: "inet" });
  for (const { host, line, shows } of steps.flatMap(({ lines }) => lines)) {
    const ran = await model.type(host, line);
    expect([line, ran?.output]).toEqual([
      line,
      shows ? expect.stringMatching(shows) : expect.any(String),
    ]);
    if (shows === undefined)
      expect([line, ran?.output, ran?.status]).toEqual([line, ran?.output, 0]);
  }
  const { ran } = model.shown.value;
  expect(
    progressOf(lesson, ran)
      .flat()
      .every((state) => state === "done"),
  ).toBe(true);
});
