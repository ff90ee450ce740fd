/** `sluice mark` in this process. */
import { runMark } from "./run.ts";

export async function main(args: readonly string[]): Promise<number> {
  return await runMark(args, {
    environment: process.env,
    write: (text) => process.stdout.write(text),
    complain: (text) => process.stderr.write(text),
  });
}
