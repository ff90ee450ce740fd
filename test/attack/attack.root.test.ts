import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import type { Result } from "./attack.ts";
import { ATTACKS } from "./attacks/index.ts";

const COMMAND = new URL("../../scripts/attack", import.meta.url).pathname;

test.for(ATTACKS.map(({ name, title }) => [name, title] as const))("%s: %s", async ([name]) => {
  const child = spawn(COMMAND, ["--short", "--json", name], { stdio: ["ignore", "pipe", "pipe"] });
  const [printed] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const [result] = JSON.parse(printed) as Result[];
  expect(result!.faults).toEqual([]);
});

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  return text;
}
