/** Plays world after world until one shows a difference, or enough were played. */
import type { WireHook } from "./twins.ts";
import { type Found, play, shrink, worldOf } from "./world.ts";

const STEPS = 2_000;
const WORLDS_PER_WORD = 25;

export interface Search {
  readonly seed: number;
  readonly frames: number;
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
  { seed: first, frames, hook }: Search,
  onProgress: (frames: number) => void = () => {},
): SearchResult {
  let forwarded = 0;
  const worlds = Math.ceil(frames / STEPS);
  for (let index = 0; index < worlds; index++) {
    const seed = first + index;
    const world = worldOf(seed, STEPS);
    const played = play(world, hook);
    forwarded += played.forwarded;
    if (played.difference !== undefined) {
      return { found: { ...shrink(world, hook), seed }, frames: index * STEPS, forwarded };
    }
    if ((index + 1) % WORLDS_PER_WORD === 0) onProgress((index + 1) * STEPS);
  }
  return { found: undefined, frames: worlds * STEPS, forwarded };
}

export function formatFound({
  seed,
  world,
  difference,
}: Found & { readonly seed: number }): string {
  const rows = world.steps.map((step) => JSON.stringify(step));
  return [`seed ${seed}, ${world.family}:`, ...rows, difference].join("\n");
}
