/**
 * Worlds that once showed a difference, as few steps as were found: each is a file in found/, the family and the secret
 * (0 unless it is said) in its first line, and then a step a line, in JSON.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Family } from "../../src/net/address.ts";
import type { Found } from "./play.ts";
import type { Step, World } from "./world.ts";

const FOLDER = join(import.meta.dirname, "found");

/** Returns the file, from here. */
export function saveFound({ seed, world }: Found & { readonly seed: number }): string {
  const file = join(FOLDER, `seed-${seed}-${world.steps.length}-steps`);
  const lines = [
    `${world.family} ${world.secret}`,
    ...world.steps.map((step) => JSON.stringify(step)),
  ];
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  return relative(process.cwd(), file);
}

/** By their names. */
export function foundWorlds(): (readonly [name: string, world: World])[] {
  return readdirSync(FOLDER).map((name) => {
    const [first = "", ...lines] = readFileSync(join(FOLDER, name), "utf8").trimEnd().split("\n");
    const [family, secret = 0] = first.split(" ");
    const steps = lines.map((line) => JSON.parse(line) as Step);
    return [name, { family: family as Family, secret: Number(secret), steps }];
  });
}
