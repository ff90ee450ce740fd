/** What each scheduler is shown with: a story in which it does what it is for. */
import type { Story } from "./schedulers.ts";

const EQUAL = [1, 1, 1];
const DOUBLING = [1, 2, 4];

/** One a second, each open for so many seconds. */
const lasting = (...seconds: readonly number[]): Story["arrivals"] =>
  seconds.map((each) => ({ seconds: each }));
const short = (count: number): Story["arrivals"] =>
  Array.from({ length: count }, () => ({ seconds: 1 }));
const letters = (text: string, seconds = 1): Story["arrivals"] =>
  [...text].map((letter) => ({ letter, seconds }));

/** Some long ones among many short. */
const MIXED = lasting(12, 1, 1, 2, 9, 1, 1, 2, 1, 8, 1, 1, 1, 2, 1, 1);

// biome-ignore format: a table
export const STORIES: readonly Story[] = [
  { scheduler: "rr",    weights: EQUAL,     arrivals: short(14) },
  { scheduler: "wrr",   weights: DOUBLING,  arrivals: short(14) },
  { scheduler: "lc",    weights: EQUAL,     arrivals: MIXED },
  { scheduler: "wlc",   weights: DOUBLING,  arrivals: lasting(...Array<number>(14).fill(8)) },
  { scheduler: "sed",   weights: DOUBLING,  arrivals: lasting(...Array<number>(14).fill(4)) },
  { scheduler: "nq",    weights: DOUBLING,  arrivals: lasting(...Array<number>(14).fill(4)) },
  { scheduler: "dh",    weights: EQUAL,     by: "destination", arrivals: letters("ABCADBEACDBEAC") },
  { scheduler: "sh",    weights: EQUAL,     by: "client",      arrivals: letters("ABCADBEACDBEAC") },
  { scheduler: "lblc",  weights: [2, 2, 2], by: "destination", arrivals: letters("ABABAACAABAACA", 7) },
  { scheduler: "lblcr", weights: [2, 2, 2], by: "destination", arrivals: letters("ABABAACAABAACA", 7) },
  { scheduler: "mh",    weights: DOUBLING,  by: "client",      arrivals: letters("ABCDEFGHAHGBFCED") },
  { scheduler: "fo",    weights: DOUBLING,  arrivals: lasting(...Array<number>(10).fill(6)) },
  { scheduler: "ovf",   weights: DOUBLING,  arrivals: lasting(...Array<number>(12).fill(20)) },
  { scheduler: "twos",  weights: EQUAL,     arrivals: lasting(...Array<number>(14).fill(5)) },
];

export const PERSISTENT: Story = {
  scheduler: "rr",
  weights: EQUAL,
  by: "client",
  persistenceSeconds: 300,
  arrivals: letters("AABACBBADCABDA"),
};
