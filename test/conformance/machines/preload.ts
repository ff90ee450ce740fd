/** Libraries of ours in C that are loaded before a program: compiled for each run, into its folder. */
import { spawnSync } from "node:child_process";
import { basename, join } from "node:path";

const COMPILER = "cc";
const FLAGS = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra"];

/** The environment in which a program loads them, the first before the others. Throws when they cannot be compiled. */
export function preloaded(sources: readonly string[], folder: string): Record<string, string> {
  if (sources.length === 0) return {};
  return { LD_PRELOAD: sources.map((source) => compiled(source, folder)).join(" ") };
}

function compiled(source: string, folder: string): string {
  const library = join(folder, `${basename(source, ".c")}.so`);
  const words = [...FLAGS, "-o", library, source];
  const { error, status, stderr } = spawnSync(COMPILER, words, { encoding: "utf8" });
  if (error === undefined && status === 0) return library;
  const why = error === undefined ? `'${COMPILER}' says:\n${stderr}` : `there is no '${COMPILER}'.`;
  throw new Error(
    `User Mode Linux needs ${basename(source)} compiled on this processor, and that failed: ${why}\n` +
      "On Debian, 'apt-get install gcc libc6-dev' brings what it takes. 'npm run conformance -- --kernel qemu' does without.",
  );
}
