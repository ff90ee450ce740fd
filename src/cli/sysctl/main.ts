/** `sluice sysctl`. */
import { processSurroundings } from "../surroundings.ts";
import { run } from "./run.ts";

/** Resolves to the exit code. */
export function main(args: readonly string[]): Promise<number> {
  return run(args, processSurroundings());
}
