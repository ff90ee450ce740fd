import { expect, test } from "vitest";
import type { Link } from "../../host/links.ts";
import type { Lane } from "./lane.ts";
import { LaneKeeper } from "./lane-keeper.ts";

const AT_FIRST = 7;

/** A lane that is gone, and which index each attempt to make it anew comes to; undefined: the kernel refuses, half way. */
function laneThatGoes(attempts: (number | undefined)[]): Lane {
  let isGone = true;
  const lane = {
    names: { host: "lane", own: "own" },
    hostIndex: AT_FIRST,
    mend: () => (isGone ? "gone" : []),
    remake() {
      const index = attempts.shift();
      if (index === undefined) throw new Error("Cannot make a lane: ENOMEM");
      lane.hostIndex = index;
      isGone = false;
    },
  };
  return lane as unknown as Lane;
}

// biome-ignore format: a table
const attempts: [what: string, attempts: (number | undefined)[], isSame: boolean][] = [
  ["with the same index",                    [AT_FIRST],            true],
  ["with another one",                       [8],                   false],
  // Who looked meanwhile may have found the one that was half made.
  ["with the same index at the second time", [undefined, AT_FIRST], false],
];

test.for(attempts)("a lane that is made anew %s", ([, indices, isSame]) => {
  const told: boolean[] = [];
  using keeper = new LaneKeeper({
    lane: laneThatGoes([...indices]),
    onRemade: (same) => told.push(same),
    warn: () => {},
  });
  const links = new Map<number, Link>();
  for (const _ of indices) keeper.keep(links);
  expect(told).toEqual([isSame]);
});
