/**
 * `node test/guide/main.ts [CHAPTER]`: types the guide's sessions (up to those of CHAPTER) and writes what was printed into
 * both languages, where it differs by more than may differ.
 */
import { byLaboratory, LANGUAGES, readChapter, writeChapter } from "./book.ts";
import { type Entry, type Session, sessionsOf, withSessions } from "./chapter.ts";
import { withoutWhatMayDiffer } from "./sameness.ts";
import { Typist } from "./typist.ts";

const [wanted = ""] = process.argv.slice(2);

for (const [laboratory, chapters] of byLaboratory()) {
  const last = chapters.findLastIndex(({ name }) => name.includes(wanted));
  if (last < 0) continue;
  const typist = await Typist.at(laboratory);
  try {
    for (const { name, chapter } of chapters.slice(0, last + 1)) {
      const before = sessionsOf(chapter);
      const now = await typist.type(before);
      const kept = now.map((session, index) => keepingTheSame(before[index]!, session));
      for (const language of LANGUAGES) {
        writeChapter(language, name, withSessions(readChapter(language, name), kept));
      }
      console.log(name);
    }
  } finally {
    await typist.close();
  }
}

function keepingTheSame(before: Session, now: Session): Session {
  return { ...now, entries: now.entries.map((entry, at) => older(before.entries[at]!, entry)) };
}

function older(before: Entry, now: Entry): Entry {
  const isSame = withoutWhatMayDiffer(before.output) === withoutWhatMayDiffer(now.output);
  return isSame ? before : now;
}
