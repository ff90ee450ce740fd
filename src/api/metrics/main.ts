/** `/metrics` as a whole. Loaded when it is asked for first: most starts are not scraped, and none waits for this. */
import { BusyError, type Control } from "../../control/control.ts";
import { metricsPage, type PageParts } from "./page.ts";
import { processMetrics } from "./process.ts";

export { CONTENT_TYPE } from "./exposition.ts";
export { listenForMetrics } from "./listener.ts";

/** Pages that may be under way at once: each holds a list of all destinations. */
const UNDER_WAY_MAX = 4;

let underWay = 0;

/** Throws a BusyError when too many are. */
export function metrics(
  control: Control,
  parts: Omit<PageParts, "ofProcess">,
): AsyncGenerator<string> {
  if (underWay >= UNDER_WAY_MAX) {
    throw new BusyError(`${UNDER_WAY_MAX} readers are given the metrics already: try again`);
  }
  return counted(metricsPage(control, { ...parts, ofProcess: processMetrics }));
}

async function* counted(page: AsyncGenerator<string>): AsyncGenerator<string> {
  underWay++;
  try {
    yield* page;
  } finally {
    underWay--;
  }
}
