/** A process of main.ts's, which is told what to seek. */
import { type Search, seek } from "./seek.ts";
import type { Word } from "./together.ts";

process.once("message", (search: Search) => {
  const tell = (word: Word): boolean => process.send!(word);
  tell({ result: seek(search, (done) => tell({ done })) });
  process.disconnect();
});
