/** The bare director: no engine, no packets on wires, a clock that only goes as the kernel's went. */
import { ESTIMATION_INTERVAL_MS } from "../../../src/ipvs/services/rate-estimator.ts";
import { type Case, type Report, timesOf } from "../case.ts";
import { frameOf } from "../packets.ts";
import type { Place } from "../place.ts";
import { Bench } from "./bench.ts";
import { DirectorEngine } from "./director-engine.ts";
import { MarkTable } from "./mark-table.ts";

/** `times` tells for each step when the kernel did it, in milliseconds since the case's first. */
export async function performOnDirector(
  of: Case,
  place: Place,
  times: readonly number[],
): Promise<Report[]> {
  const { steps, sysctls } = of;
  const engine = new DirectorEngine({ connectionsMax: connectionsMaxOf(of) });
  await using bench = await Bench.open({
    engine,
    exchange: (frame) => engine.receive(frame),
    setMarks: (rules) => {
      engine.marks = new MarkTable(rules.map((rule) => place.fill(rule)));
    },
  });
  await bench.turn(sysctls);
  const reports: Report[] = [];
  let now = 0;
  // The estimator's rounds come at other times here.
  let ahead = 0;
  for (const [index, step] of steps.entries()) {
    if (step.kind === "wait") now += step.ms;
    // The kernel's clock goes while it works; the same step happens here at the same time.
    if (step.kind === "round") {
      engine.receive(frameOf(place.fill(step.packet)));
      now = nextRound(now);
      ahead = now - (times[index] ?? now);
    } else {
      now = (times[index] ?? now - ahead) + ahead;
    }
    engine.moveClock(now);
    reports.push({ atMs: now, observation: await bench.perform(step, of, place) });
  }
  return reports;
}

/**
 * So many that the table is never as full as drop_entry notices, and no more: each case makes a table, which takes longer
 * than all else that a case of a few packets does.
 */
function connectionsMaxOf({ steps }: Case): number {
  const packets = steps.map((step) => (step.kind === "packet" ? timesOf(step.packet) : 1));
  return 1024 + 16 * packets.reduce((sum, times) => sum + times, 0);
}

function nextRound(now: number): number {
  return (Math.floor(now / ESTIMATION_INTERVAL_MS) + 1) * ESTIMATION_INTERVAL_MS;
}
