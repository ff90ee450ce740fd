/** Every command of the guide is typed, and prints what the guide says. */
import { afterEach, expect, test } from "vitest";
import { byLaboratory } from "./book.ts";
import { type Session, sessionsOf } from "./chapter.ts";
import { withoutWhatMayDiffer } from "./sameness.ts";
import { Typist } from "./typist.ts";

let typist: Typist | undefined;

afterEach(async () => {
  await typist?.close();
  typist = undefined;
});

test.for([...byLaboratory()])(
  "the sessions in the laboratory %s",
  async ([laboratory, chapters]) => {
    typist = await Typist.at(laboratory);
    for (const { name, chapter } of chapters) {
      const said = sessionsOf(chapter);
      const printed = await typist.type(said);
      expect(
        transcript(printed),
        `${name}: 'node test/guide/main.ts' writes what is printed now`,
      ).toEqual(transcript(said));
    }
  },
);

function transcript(sessions: readonly Session[]): string[] {
  return sessions.flatMap(({ entries }) =>
    entries.map(
      ({ host, command, output }) => `[${host}] ${command}\n${withoutWhatMayDiffer(output)}`,
    ),
  );
}
