/** Benchmarks in namespaces of their own: whatever ends, nothing stays. */
import { randomUUID } from "node:crypto";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { LabFailure } from "../src/lab/failure.ts";
import { programLine } from "../src/lab/program.ts";
import { needsUserNamespace, startInside } from "../src/lab/run/box.ts";
import { LEASH } from "../src/lab/run/leash.ts";

export interface InsideBenchmark<Figures> {
  readonly name: string;
  readonly measure: (progress: (text: string) => void) => Promise<Figures>;
}

type Event =
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "failure"; readonly text: string }
  | { readonly kind: "figures"; readonly figures: unknown };

/** The word by which this program knows that it is the inside; the next is the benchmark's name. */
export const INSIDE = "@inside";

/** Runs this program anew as the inside. Throws a LabFailure when it cannot be. */
export async function measureInside<Figures>(
  { name }: InsideBenchmark<Figures>,
  progress: (text: string) => void,
): Promise<Figures> {
  const inUserNamespace = needsUserNamespace(process.getuid?.() === 0);
  const inside = startInside(inUserNamespace, randomUUID(), programLine(INSIDE, name));
  inside.stderr?.pipe(process.stderr);
  // The inside ends when we do; Ctrl-C ends us, for the inside is detached from the terminal.
  let figures: Figures | undefined;
  let failure = "it ended early";
  for await (const line of createInterface({ input: inside.stdout! })) {
    if (!line.startsWith("{")) continue;
    const event = JSON.parse(line) as Event;
    if (event.kind === "progress") progress(event.text);
    else if (event.kind === "failure") failure = event.text;
    else figures = event.figures as Figures;
  }
  if (figures === undefined) throw new LabFailure(`The benchmark ${name} failed: ${failure}`);
  return figures;
}

/** The first process of the namespaces: everything in them ends with it. */
export async function runInside({ measure }: InsideBenchmark<unknown>): Promise<never> {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(1));
  }
  process.stdout.on("error", () => process.exit(1));
  const leash = new Socket({ fd: LEASH });
  for (const event of ["error", "close"]) leash.on(event, () => process.exit(1));
  leash.resume();
  try {
    emit({ kind: "figures", figures: await measure((text) => emit({ kind: "progress", text })) });
  } catch (error) {
    emit({ kind: "failure", text: (error as Error).message });
  }
  process.exit(0);
}

function emit(event: Event): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
