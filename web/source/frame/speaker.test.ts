import { expect, test } from "vitest";
import { speaker } from "./speaker.ts";

const WORDS = {
  up: ["{sum} up, {quorum} wanted", "{sum} 台正常，需要 {quorum} 台"],
  none: ["none", "无"],
} as const;

test.each([
  ["en", "2 up, 1 wanted", "none"],
  ["zh", "2 台正常，需要 1 台", "无"],
] as const)("in %s", (language, up, none) => {
  const say = speaker(WORDS, () => language);
  expect(say("up", { sum: 2, quorum: 1 })).toBe(up);
  expect(say("none")).toBe(none);
});
