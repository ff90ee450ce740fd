import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import type { Result } from "./attack.ts";
import { ATTACKS } from "./attacks/index.ts";
import type { EngineName } from "./stage.ts";

const COMMAND = new URL("../../scripts/attack", import.meta.url).pathname;
/** Of those that the kernel engine is to stand, too. */
const KERNEL = ["full-table", "udp-flood"];

const all = ATTACKS.filter(({ isLong }) => isLong !== true);
const cases: [name: string, title: string, engine: EngineName][] = [
  ...all.map(({ name, title }) => [name, title, "userspace"] as [string, string, EngineName]),
  ...ATTACKS.filter(({ name }) => KERNEL.includes(name)).map(
    ({ name, title }) => [name, title, "kernel"] as [string, string, EngineName],
  ),
];

test.for(cases)("%s: %s, the %s engine", async ([name, , engine]) => {
  const words = ["--short", "--json", "--engine", engine, name];
  const child = spawn(COMMAND, words, { stdio: ["ignore", "pipe", "pipe"] });
  const [printed] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const [result] = JSON.parse(printed) as Result[];
  expect(result!.faults).toEqual([]);
});

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  return text;
}
