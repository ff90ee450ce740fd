/**
 * What any Node.js process tells Prometheus of itself, by prom-client's own names, which dashboards know: memory, processor
 * time, descriptors, garbage collection, and how late the event loop was (perf_hooks' monitorEventLoopDelay), which is for
 * how long packets waited. Measured from the first question on.
 */
import { collectDefaultMetrics, Registry } from "prom-client";

/** Gauges that are called as counters are, which promtool complains of; their parts, by kind, stay. */
const MISNAMED = ["handles", "requests", "resources"].map((what) => `nodejs_active_${what}_total`);

let registry: Registry | undefined;

export async function processMetrics(): Promise<string> {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  // As yet nothing was measured of some: the text format spells that NaN, prom-client does not.
  return (await registry.metrics()).replaceAll(/ Nan$/gm, " NaN");
}
