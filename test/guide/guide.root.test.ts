/** Every command of the guide is typed, and prints what the guide says. */
import { test } from "vitest";
import { byLaboratory } from "./book.ts";
import { type Session, sessionsOf } from "./chapter.ts";
import { withoutWhatMayDiffer } from "./sameness.ts";
import { Typist } from "./typist.ts";

/**
 * Some hundred commands, one after the other, of which some wait for what never comes. On a very busy machine a SYN is sent again
 * though the first one arrived, and may come after its connection's end: then a turn is taken that nobody sees, and the next
 * answer is another server's.
 */
const LIMITS = { timeout: 400_000, retry: 1 };

test.concurrent.for([...byLaboratory()])(
  "the sessions in the laboratory %s",
  LIMITS,
  async ([laboratory, chapters], { expect }) => {
    const typist = await Typist.at(laboratory);
    try {
      for (const { name, chapter } of chapters) {
        const said = sessionsOf(chapter);
        const printed = await typist.type(said);
        const where = `${name}: 'node test/guide/main.ts' writes what is printed now`;
        expect(transcript(printed), where).toEqual(transcript(said));
      }
    } finally {
      await typist.close();
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
