/** The bare director as a side: no engine, no packets on wires, a clock that only goes when a case says so. */

import { ESTIMATION_INTERVAL_MS } from "../../../src/ipvs/rate-estimator.ts";
import type { Case, Report, Side, SideOptions } from "../case.ts";
import { frameOf } from "../packets.ts";
import { Place } from "../place.ts";
import { Bench } from "./bench.ts";
import { DirectorEngine } from "./director-engine.ts";

export class DirectorSide implements Side {
  readonly #options: SideOptions;

  constructor(options: SideOptions) {
    this.#options = options;
  }

  async perform(
    cases: readonly Case[],
    times: readonly (readonly number[])[],
  ): Promise<Report[][]> {
    const reports: Report[][] = [];
    for (const [index, each] of cases.entries()) {
      reports.push(await performCase(each, new Place(index), times[index] ?? []));
      this.#options.onDone(reports.length);
    }
    return reports;
  }
}

async function performCase(
  { steps, sysctls }: Case,
  place: Place,
  times: readonly number[],
): Promise<Report[]> {
  const engine = new DirectorEngine();
  await using bench = await Bench.open(engine, (frame) => engine.receive(frame));
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
    reports.push({ atMs: now, observation: await bench.perform(step, place) });
  }
  return reports;
}

function nextRound(now: number): number {
  return (Math.floor(now / ESTIMATION_INTERVAL_MS) + 1) * ESTIMATION_INTERVAL_MS;
}
