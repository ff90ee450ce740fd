/** Programs of the host that tell how it is set up. */
import { spawn } from "node:child_process";

const TIME_MS = 5_000;
const OUTPUT_CHARACTERS_MAX = 8_000_000;

export interface Said {
  readonly status: number;
  readonly output: string;
}

/** What a program prints, or undefined when there is none of that name. Never rejects for what it does. */
export function ask(file: string, ...args: readonly string[]): Promise<Said | undefined> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIME_MS,
      env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C" },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(0, OUTPUT_CHARACTERS_MAX);
    });
    child.stderr.resume();
    child.once("error", () => resolve(undefined));
    child.once("close", (code) => resolve({ status: code ?? 1, output }));
  });
}

/** An answer in JSON; undefined where there is none, as of a route that does not exist. */
export async function askJson(file: string, ...args: readonly string[]): Promise<unknown> {
  const said = await ask(file, ...args);
  if (said === undefined || said.status !== 0) return undefined;
  try {
    return JSON.parse(said.output) as unknown;
  } catch {
    return undefined;
  }
}
