/** The bare director: no engine, no packets on wires, a clock that only goes as the kernel's went. */
import type { Case, Report } from "../case.ts";
import type { Place } from "../place.ts";
import { Bench } from "./bench.ts";
import { DirectorEngine } from "./director-engine.ts";

/** `times` tells for each step when the kernel did it, in milliseconds since the case's first. */
export async function performOnDirector(
  { steps, sysctls }: Case,
  place: Place,
  times: readonly number[],
): Promise<Report[]> {
  const engine = new DirectorEngine();
  await using bench = await Bench.open(engine, (frame) => engine.receive(frame));
  await bench.turn(sysctls);
  const reports: Report[] = [];
  let now = 0;
  for (const [index, step] of steps.entries()) {
    if (step.kind === "wait") now += step.ms;
    // The kernel's clock goes while it works; the same step happens here at the same time.
    now = times[index] ?? now;
    engine.moveClock(now);
    reports.push({ atMs: now, observation: await bench.perform(step, place) });
  }
  return reports;
}
