/** What the kernel did, kept in a file: who works on ours need not ask it again. */
import { readFileSync, writeFileSync } from "node:fs";
import type { HostCase } from "./host-case.ts";
import type { HostReport } from "./host-report.ts";

export class KernelAnswers {
  readonly #file: string | undefined;
  readonly #isAnew: boolean;

  /** Without a file nothing is kept; `isAnew`: what is kept is asked again, too. */
  constructor(file: string | undefined, isAnew: boolean) {
    this.#file = file;
    this.#isAnew = isAnew;
  }

  /** Asks for what is not kept: a case that was edited is another one. */
  async orAsk(
    cases: ReadonlyMap<number, HostCase>,
    ask: (missing: ReadonlyMap<number, HostCase>) => Promise<Map<number, HostReport>>,
  ): Promise<Map<number, HostReport>> {
    const kept = this.#read();
    const missing = new Map(
      [...cases].filter(([, each]) => this.#isAnew || !(keyOf(each) in kept)),
    );
    const asked = missing.size === 0 ? new Map<number, HostReport>() : await ask(missing);
    for (const [number, report] of asked) kept[keyOf(cases.get(number)!)] = report;
    if (this.#file !== undefined && asked.size > 0)
      writeFileSync(this.#file, JSON.stringify(kept, undefined, 1));
    return new Map([...cases].map(([number, each]) => [number, kept[keyOf(each)] ?? []]));
  }

  #read(): Record<string, HostReport> {
    if (this.#file === undefined) return {};
    try {
      return JSON.parse(readFileSync(this.#file, "utf8")) as Record<string, HostReport>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
      throw error;
    }
  }
}

function keyOf(of: HostCase): string {
  return JSON.stringify(of);
}
