/** Every case. */
import type { Case } from "../case.ts";
import { commandLineCases, restoreCases, viewCases } from "./command-lines.ts";
import { generatedCases } from "./generated-lines.ts";

export function allCases({ seed, generated }: { seed: number; generated: number }): Case[] {
  return [
    ...commandLineCases(),
    ...restoreCases(),
    ...viewCases(),
    ...generatedCases(seed, generated),
  ];
}
