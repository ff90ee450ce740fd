/** A search by several processes, each of which has a part of the worlds. */
import { fork } from "node:child_process";
import type { Search, SearchResult } from "./seek.ts";

/** What a process tells: how many frames it has played, or in the end what it found. */
export type Word = { readonly done: number } | { readonly result: SearchResult };

/** Rejects when a process ends otherwise than with a result. `onProgress` is told how many frames all have played. */
export async function seekTogether(
  searches: readonly Search[],
  onProgress: (frames: number) => void,
): Promise<SearchResult[]> {
  const done = searches.map(() => 0);
  return await Promise.all(
    searches.map((search, index) =>
      run(search, (frames) => {
        done[index] = frames;
        onProgress(done.reduce((sum, each) => sum + each, 0));
      }),
    ),
  );
}

function run(search: Search, onProgress: (frames: number) => void): Promise<SearchResult> {
  const child = fork(new URL("./searcher.ts", import.meta.url));
  child.send(search);
  return new Promise((resolve, reject) => {
    child.on("message", (word: Word) => {
      if ("done" in word) onProgress(word.done);
      else resolve(word.result);
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      reject(new Error(`A searching process ended by itself: ${signal ?? code}`));
    });
  });
}
