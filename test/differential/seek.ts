/** Plays world after world until one shows a difference, or enough were played. */
import type { WireHook } from "./twins.ts";
import { type Found, play, shrink, worldOf } from "./world.ts";

/** Of a world, unless it is said. */
const STEPS = 2_000;
const FRAMES_PER_WORD = 50_000;

export interface Search {
  readonly seed: number;
  readonly frames: number;
  /** To load the programs takes as long as some thousand packets, but a short world is soon shrunk. */
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
  let forwarded = 0;
  const worlds = Math.ceil(frames / steps);
  for (let index = 0; index < worlds; index++) {
    const seed = first + index;
    const world = worldOf(seed, steps);
    const played = play(world, hook);
    forwarded += played.forwarded;
    if (played.difference !== undefined) {
      return { found: { ...shrink(world, hook), seed }, frames: index * steps, forwarded };
    }
    const done = (index + 1) * steps;
    if (Math.floor(done / FRAMES_PER_WORD) > Math.floor((done - steps) / FRAMES_PER_WORD)) {
      onProgress(done);
    }
  }
  return { found: undefined, frames: worlds * steps, forwarded };
}

export function formatFound({
  seed,
  world,
  difference,
}: Found & { readonly seed: number }): string {
  const rows = world.steps.map((step) => JSON.stringify(step));
  return [`seed ${seed}, ${world.family}:`, ...rows, difference].join("\n");
}
