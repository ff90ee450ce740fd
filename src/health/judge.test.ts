import { describe, expect, test } from "vitest";
import {
  afterResult,
  type Candidate,
  type DestinationStanding,
  decide,
  delayAfter,
  destinationAfter,
  dynamicWeight,
  findingOf,
  nextMoment,
  rampedWeight,
  rememberedDown,
  type Standing,
  standingAtStart,
} from "./judge.ts";

describe("results in a row", () => {
  /** What is held true after each result, `+` or `-`: `U` up, `D` down; small while it is not known. */
  // biome-ignore format: a table
  const rows: [why: string, start: "up" | "down", rise: number, fall: number, results: string, held: string][] = [
    ["a success confirms what was held",         "up",   2, 3, "+++",       "UUU"],
    ["so many failures bring it down",           "up",   2, 3, "+---",      "UUUD"],
    ["a success between begins the count anew",  "up",   2, 3, "+--+--",    "UUUUUU"],
    ["so many successes bring it up",            "up",   2, 1, "-+-++",     "DDDDU"],
    ["one failure is enough when fall is 1",     "up",   1, 1, "-+-",       "DUD"],
    ["held up, it is not known while it fails",  "up",   1, 3, "--+--",     "uuUUU"],
    ["held down, it is not known while it rises", "down", 2, 3, "+-++",     "dDDU"],
    ["a failure confirms that it is down",       "down", 2, 3, "-",         "D"],
  ];

  test.for(rows)("%s", ([, start, rise, fall, results, held]) => {
    let standing = standingAtStart({ start });
    let seen = "";
    for (const result of results) {
      standing = afterResult(standing, result === "+", { rise, fall });
      const letter = standing.up ? "u" : "d";
      seen += standing.isKnown ? letter.toUpperCase() : letter;
    }
    expect(seen).toBe(held);
  });

  test("one that is remembered to have been down comes up by one success", () => {
    const standing = rememberedDown({ rise: 5 });
    expect(standing).toMatchObject({ up: false, isKnown: false });
    expect(afterResult(standing, true, { rise: 5, fall: 3 })).toMatchObject({ up: true });
    expect(afterResult(standing, false, { rise: 5, fall: 3 })).toMatchObject({
      up: false,
      isKnown: true,
      against: 0,
    });
  });
});

describe("when the next probe is due", () => {
  const plan = { intervalMs: 1_000, jitterMs: 100, retryMs: 200, backoffMs: 5_000 };
  const standing = (facts: Partial<Standing>): Standing => ({
    up: true,
    isKnown: true,
    against: 0,
    downs: 0,
    ...facts,
  });

  // biome-ignore format: a table
  const rows: [why: string, facts: Partial<Standing>, chance: number, delay: number][] = [
    ["after an interval",                         {},                        0.5, 1_000],
    ["at the earliest",                           {},                        0,   900],
    ["at the latest",                             {},                        1,   1_100],
    ["sooner while it is undecided",              { against: 1 },            1,   200],
    ["just down: after an interval",              { up: false, downs: 1 },   0.5, 1_000],
    ["down for long: twice as long each time",    { up: false, downs: 3 },   0.5, 4_000],
    ["and no longer than that",                   { up: false, downs: 4 },   0.5, 5_000],
    ["however long it is down",                   { up: false, downs: 9_999 }, 0.5, 5_000],
    ["rising: soon",                              { up: false, downs: 9, against: 1 }, 0.5, 200],
  ];

  test.for(rows)("%s", ([, facts, chance, delay]) => {
    expect(delayAfter(standing(facts), plan, chance)).toBe(delay);
  });
});

describe("a destination's checks together", () => {
  const report = (up: boolean, isKnown: boolean, why: string, weight?: number) => ({
    up,
    isKnown,
    why,
    weight,
    against: 0,
    downs: 0,
  });

  // biome-ignore format: a table
  const rows: [why: string, reports: ReturnType<typeof report>[], finding: object][] = [
    ["up when all are",                 [report(true, true, "a"), report(true, true, "b")],    { up: true, isKnown: true, why: "b" }],
    ["down when one is",                [report(true, true, "a"), report(false, true, "b")],   { up: false, isKnown: true, why: "b" }],
    ["not known while one is not",      [report(true, false, "a"), report(true, true, "b")],   { up: true, isKnown: false, why: "a" }],
    ["one that is known to be down settles it", [report(false, false, "a"), report(false, true, "b")], { up: false, isKnown: true, why: "b" }],
    ["their weights are kept apart",    [report(true, true, "a", 3), report(true, true, "b", 9)], { weights: [3, 9] }],
    ["no checks: up",                   [],                                                    { up: true, isKnown: true }],
  ];

  test.for(rows)("%s", ([, reports, finding]) => {
    expect(findingOf(reports)).toMatchObject(finding);
  });

  // biome-ignore format: a table
  const weights: [configured: number, said: number[], weight: number][] = [
    [10, [],        10],
    [10, [3],       3],
    [10, [12, 12],  14],
    [10, [0, 5],    0],
    [0,  [7],       0],
  ];

  test.for(weights)("weight %d with checks that say %j is %d", ([configured, said, weight]) => {
    expect(dynamicWeight(configured, said)).toBe(weight);
  });
});

describe("a destination from one moment to the next", () => {
  const flapping = { changes: 3, withinMs: 100, holdMs: 50 };
  const finding = (up: boolean) => ({ up, isKnown: true, why: up ? "ok" : "refused", weights: [] });

  /** What it is after each `moment+` or `moment-`. */
  function play(events: string, rules: typeof flapping | undefined): string {
    let standing: DestinationStanding | undefined;
    return events
      .split(" ")
      .map((event) => {
        const moment = Number(event.slice(0, -1));
        standing = destinationAfter(standing, finding(event.endsWith("+")), rules, moment);
        return standing.up ? "U" : "D";
      })
      .join("");
  }

  // biome-ignore format: a table
  const rows: [why: string, events: string, isDamped: boolean, held: string][] = [
    ["follows its checks",                        "0+ 10- 20+ 30- 40+ 50- 60+",             false, "UDUDUDU"],
    ["is held down when it went down too often",  "0+ 10- 20+ 30- 40+ 50- 60+ 90+ 100+",     true,  "UDUDUDDDU"],
    ["not when that was long ago",                "0+ 10- 20+ 30- 40+ 150- 160+",            true,  "UDUDUDU"],
    ["is down after that while it is",            "0+ 10- 20+ 30- 40+ 50- 100- 110+",         true,  "UDUDUDDU"],
  ];

  test.for(rows)("%s", ([, events, isDamped, held]) => {
    expect(play(events, isDamped ? flapping : undefined)).toBe(held);
  });

  test("since when, and when it came up", () => {
    const first = destinationAfter(undefined, finding(true), undefined, 5);
    expect(first).toMatchObject({ since: 5, cameUp: undefined });
    const down = destinationAfter(first, finding(false), undefined, 7);
    expect(down).toMatchObject({ since: 7, why: "refused", cameUp: undefined });
    expect(destinationAfter(down, finding(false), undefined, 8).since).toBe(7);
    const up = destinationAfter(down, finding(true), undefined, 9);
    expect(up).toMatchObject({ since: 9, cameUp: 9 });
    expect(destinationAfter(up, finding(true), undefined, 10)).toMatchObject({ cameUp: 9 });
  });
});

describe("slow start", () => {
  // biome-ignore format: a table
  const rows: [weight: number, cameUp: number | undefined, now: number, ramped: number][] = [
    [100, undefined, 50,   100],
    [100, 0,         0,    10],
    [100, 0,         99,   10],
    [100, 0,         100,  20],
    [100, 0,         950,  100],
    [100, 0,         1_000, 100],
    [1,   0,         0,    1],
    [0,   0,         0,    0],
    [5,   0,         250,  2],
  ];

  test.for(rows)("weight %d that came up at %s is at %d ms %d", ([weight, cameUp, now, ramped]) => {
    expect(rampedWeight(weight, cameUp, 1_000, now)).toBe(ramped);
  });

  test("time changes something at each step, and when holding ends", () => {
    const standing: DestinationStanding = {
      up: true,
      isKnown: true,
      why: "",
      since: 0,
      cameUp: 0,
      wentDown: [],
      heldUntil: undefined,
      weights: [],
    };
    expect(nextMoment([standing], 1_000, 0)).toBe(100);
    expect(nextMoment([standing], 1_000, 100)).toBe(200);
    expect(nextMoment([standing], 1_000, 1_000)).toBeUndefined();
    expect(nextMoment([standing], 0, 0)).toBeUndefined();
    const held = { ...standing, up: false, cameUp: undefined, heldUntil: 70 };
    expect(nextMoment([standing, held], 1_000, 0)).toBe(70);
  });
});

describe("what becomes of a service", () => {
  const RULES = { quorum: 1, hysteresis: 0, slowStartMs: 0, panicPercent: 0, sorry: undefined };
  const SORRY = { weight: 1, isStanding: false };

  /** `5+ 3- 0+`: weights of those that are up and down; `i`: it is inhibited; `?`: nobody checks it. */
  function candidates(text: string): Candidate[] {
    return text.split(" ").map((word) => {
      const [, weight, sign, way] = /^(\d+)([-+?])(i?)$/.exec(word)!;
      const standing: DestinationStanding = {
        up: sign === "+",
        isKnown: true,
        why: "",
        since: 0,
        cameUp: undefined,
        wentDown: [],
        heldUntil: undefined,
        weights: [],
      };
      return {
        weight: Number(weight),
        onFailure: way === "i" ? "inhibit" : "remove",
        standing: sign === "?" ? undefined : standing,
      };
    });
  }

  /** `5 - 0, sorry 1`: `-` is gone. */
  function told({ weights, sorryWeight, isPanic }: ReturnType<typeof decide>): string {
    const words = weights.map((weight) => weight ?? "-").join(" ");
    return `${words}${sorryWeight === undefined ? "" : `, sorry ${sorryWeight}`}${isPanic ? ", panic" : ""}`;
  }

  // biome-ignore format: a table
  const rows: [why: string, rules: Partial<Parameters<typeof decide>[0]>, servers: string, says: string][] = [
    ["all up: as configured",                       {},                          "5+ 3+",     "5 3"],
    ["one that is down goes",                       {},                          "5+ 3-",     "5 -"],
    ["or stays with weight 0",                      {},                          "5+ 3-i",    "5 0"],
    ["one that nobody checks stays",                {},                          "5? 3-",     "5 -"],
    ["all down: nothing is left",                   {},                          "5- 3-i",    "- 0"],
    ["all down: somebody is sorry",                 { sorry: SORRY },            "5- 3-i",    "- 0, sorry 1"],
    ["quorum lost: those that are up go, too",      { sorry: SORRY, quorum: 4 }, "5- 3+ 2-i", "- - 0, sorry 1"],
    ["nobody to be sorry: they stay",               { quorum: 4 },               "5- 3+",     "- 3"],
    ["weight 0 is no part of a quorum",             { sorry: SORRY },            "0+ 3-",     "- -, sorry 1"],
    ["a sorry server that always stands",           { sorry: { weight: 2, isStanding: true } }, "5+", "5, sorry 0"],
    ["and takes over",                              { sorry: { weight: 2, isStanding: true } }, "5-", "-, sorry 2"],
    ["too few up: all are kept",                    { panicPercent: 50 },        "5+ 3- 2-i", "5 3 2, panic"],
    ["just enough: as ever",                        { panicPercent: 50 },        "5+ 3-",     "5 -"],
    ["all down: all are kept",                      { panicPercent: 1 },         "5- 3-",     "5 3, panic"],
  ];

  test.for(rows)("%s", ([, rules, servers, says]) => {
    expect(told(decide({ ...RULES, ...rules }, candidates(servers), true, 0))).toBe(says);
  });

  test("no destinations, and somebody to be sorry", () => {
    expect(told(decide({ ...RULES, sorry: SORRY }, [], true, 0))).toBe(", sorry 1");
  });

  /** Whether there is a quorum after each sum. keepalived's update_quorum_state(). */
  // biome-ignore format: a table
  const quorums: [quorum: number, hysteresis: number, sums: number[], has: string][] = [
    [1, 0, [2, 1, 0, 1],             "YYNY"],
    [3, 0, [3, 2, 3],                "YNY"],
    [3, 1, [4, 3, 2, 1, 2, 3, 4, 3], "YYYNNNYY"],
    [1, 1, [1, 0, 1, 2],             "YNNY"],
    [2, 5, [1, 0, 6, 7],             "YNNY"],
  ];

  test.for(quorums)(
    "quorum %d with hysteresis %d, sums %j: %s",
    ([quorum, hysteresis, sums, has]) => {
      let had = true;
      const seen = sums.map((sum) => {
        had = decide({ ...RULES, quorum, hysteresis }, candidates(`${sum}+`), had, 0).hasQuorum;
        return had ? "Y" : "N";
      });
      expect(seen.join("")).toBe(has);
    },
  );
});
