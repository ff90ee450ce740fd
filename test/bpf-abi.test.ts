import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const path = (name: string): string => new URL(`../${name}`, import.meta.url).pathname;

test("abi.ts says what the committed object says of itself: else run scripts/build-bpf", () => {
  const script = [path("scripts/bpf-abi.ts"), path("bpf/director.bpf.o")];
  const made = execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...script]);
  expect(made.toString()).toBe(readFileSync(path("src/engine/kernel/abi.ts"), "utf8"));
});
