/** Runs the commands that mend findings, when the operator wants it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Finding } from "./finding.ts";

export interface Fixed {
  readonly code: string;
  readonly line: string;
  /** Of the command; undefined: the operator did not want it. */
  readonly status: number | undefined;
}

/** `tell` gets what is shown; with `asks` each finding's commands are asked about on the terminal. */
export async function fix(
  findings: readonly Finding[],
  asks: boolean,
  tell: (text: string) => void,
): Promise<readonly Fixed[]> {
  using answers = new Answers();
  const done: Fixed[] = [];
  // Several cards may want one and the same.
  const seen = new Set<string>();
  for (const { code, about, says, remedy } of findings) {
    if (remedy.kind !== "commands") continue;
    const lines = remedy.lines.filter((line) => !seen.has(line));
    if (lines.length === 0) continue;
    for (const line of lines) seen.add(line);
    if (asks) tell(`\n${about}: ${says}\n  ${lines.join("\n  ")}\nrun this? [y/N] `);
    if (asks && !(await answers.isYes())) {
      done.push(...lines.map((line) => ({ code, line, status: undefined })));
      continue;
    }
    for (const line of lines) {
      const status = await run(line);
      tell(status === 0 ? `ran: ${line}\n` : `failed with code ${status}: ${line}\n`);
      done.push({ code, line, status });
      if (status !== 0) break;
    }
  }
  return done;
}

/** The operator's, a line each; none once the input has ended, when nobody is there to agree. */
class Answers implements Disposable {
  #lines: ReturnType<typeof createInterface> | undefined;
  #next: AsyncIterator<string> | undefined;

  async isYes(): Promise<boolean> {
    this.#lines ??= createInterface({ input: process.stdin });
    this.#next ??= this.#lines[Symbol.asyncIterator]();
    const { value, done } = await this.#next.next();
    return done !== true && /^y(es)?$/i.test(value.trim());
  }

  [Symbol.dispose](): void {
    this.#lines?.close();
  }
}

async function run(line: string): Promise<number> {
  const child = spawn("sh", ["-c", line], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` },
  });
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 1;
}
