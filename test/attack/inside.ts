/** The inside of an attack: the first process of namespaces of its own, which all end with it. */
import { execFileSync } from "node:child_process";
import { Socket } from "node:net";
import { LEASH } from "../../src/lab/run/leash.ts";
import { measure, type Result } from "./attack.ts";
import { ATTACKS } from "./attacks/index.ts";
import type { EngineName } from "./stage.ts";

/** The word by which the program knows that it is the inside. */
export const INSIDE = "@inside";

/** What the inside tells, a line of JSON. */
export type Told = { readonly result: Result } | { readonly failure: string };

export interface Order {
  readonly name: string;
  readonly engine: EngineName;
  readonly isShort: boolean;
}

/** Carries an attack out and tells the result. */
export async function runInside({ name, engine, isShort }: Order): Promise<never> {
  // The first process of a namespace ignores signals that it has no handler for.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(1));
  }
  process.stdout.on("error", () => process.exit(1));
  const leash = new Socket({ fd: LEASH });
  for (const event of ["error", "close"]) leash.on(event, () => process.exit(1));
  leash.resume();
  // Sockets, state and the names of network namespaces: nothing of it lies where others see it.
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  process.env.TMPDIR = "/run";
  const attack = ATTACKS.find((each) => each.name === name)!;
  try {
    tell({ result: await measure(attack, { engine, isShort }) });
  } catch (error) {
    tell({ failure: (error as Error).stack ?? String(error) });
  }
  process.exit(0);
}

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
