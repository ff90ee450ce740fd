/** Plays world after world until one shows a difference, or enough were played. */
import { type Found, play, shrink } from "./play.ts";
import { Programs, type WireHook } from "./programs.ts";
import { worldOf } from "./world.ts";

/** Of a world, unless it is said: a short one is soon shrunk. */
const STEPS = 2_000;
const FRAMES_PER_WORD = 50_000;

export interface Search {
  readonly seed: number;
  readonly frames: number;
  readonly steps?: number;
  readonly hook?: WireHook;
}

export interface SearchResult {
  readonly found: (Found & { readonly seed: number }) | undefined;
  readonly frames: number;
  /** By the program. */
  readonly forwarded: number;
}

/** `onProgress` is told now and then how many frames were played. */
export function seek(
  { seed: first, frames, steps = STEPS, hook }: Search,
  onProgress: (frames: number) => void = () => {},
): SearchResult {
  using programs = new Programs(hook);
  let forwarded = 0;
  const worlds = Math.ceil(frames / steps);
  for (let index = 0; index < worlds; index++) {
    const seed = first + index;
    const world = worldOf(seed, steps);
    const played = play(world, programs);
    forwarded += played.forwarded;
    if (played.difference !== undefined) {
      const found = confirm(shrink(world, programs), hook);
      return { found: { ...found, seed }, frames: index * steps, forwarded };
    }
    const done = (index + 1) * steps;
    if (Math.floor(done / FRAMES_PER_WORD) > Math.floor((done - steps) / FRAMES_PER_WORD)) {
      onProgress(done);
    }
  }
  return { found: undefined, frames: worlds * steps, forwarded };
}

/** Whether programs that were loaded for it alone show it, too. */
function confirm({ world, difference }: Found, hook: WireHook | undefined): Found {
  using programs = new Programs(hook);
  const again = play(world, programs).difference;
  return {
    world,
    difference: again ?? `${difference}\nbut not with programs that nobody has used`,
  };
}

/** The same worlds as one search's, for several that go on beside each other. */
export function divide(search: Search & { readonly steps: number }, parts: number): Search[] {
  const { seed, frames, steps } = search;
  const worlds = Math.ceil(frames / steps);
  const ends = Array.from({ length: parts + 1 }, (_, part) => Math.floor((worlds * part) / parts));
  return ends
    .slice(1)
    .map((end, part) => ({ begin: ends[part]!, count: end - ends[part]! }))
    .filter(({ count }) => count > 0)
    .map(({ begin, count }) => ({ ...search, seed: seed + begin, frames: count * steps }));
}

export function formatFound({
  seed,
  world,
  difference,
}: Found & { readonly seed: number }): string {
  const rows = world.steps.map((step) => JSON.stringify(step));
  return [`seed ${seed}, ${world.family}:`, ...rows, difference].join("\n");
}
