/** Families of what checks say. A destination that went from its service because it is down is still among them. */

import { keyToWire } from "../../control/wire.ts";
import { formatEndpoint } from "../../ipvs/desired/service.ts";
import type { HealthSource } from "../health.ts";
import { formatServiceId } from "../ids.ts";
import { type Family, header, labels, sample } from "./exposition.ts";

interface Samples extends Family {
  readonly lines: string[];
}

function gauge(name: string, help: string): Samples {
  return { name, type: "gauge", help, lines: [] };
}

/** `most`: of destinations, as the page has it. */
export async function* healthFamilies(
  source: HealthSource | undefined,
  most: number,
  pause: () => Promise<void>,
): AsyncGenerator<string> {
  if (source === undefined) return;
  const quorum = gauge("sluice_service_has_quorum", "Whether enough destinations are up: 1 or 0.");
  const panic = gauge(
    "sluice_service_in_panic",
    "Whether so few destinations are up that all are kept, as if they were: 1 or 0.",
  );
  const up = gauge("sluice_destination_up", "What its checks say of a destination: 1 or 0.");
  const checkUp = gauge("sluice_check_up", "What one check says of a destination: 1 or 0.");
  const latency = gauge("sluice_check_latency_seconds", "How long its last probe took.");
  let count = 0;
  for (const { key, decision, destinations } of source.keeper.services()) {
    const service = formatServiceId(keyToWire(key));
    add(quorum, { service }, Number(decision.hasQuorum));
    add(panic, { service }, Number(decision.isPanic));
    for (const { plan, standing, watches } of destinations) {
      if (standing === undefined || count >= most) continue;
      count++;
      await pause();
      const about = { service, destination: formatEndpoint(plan.endpoint) };
      add(up, about, Number(standing.up));
      const names = new Set<string>();
      for (const [index, { check, report, latencyMs }] of watches.entries()) {
        // Two of a kind without names would be one sample twice.
        const plain = check.name ?? check.type;
        const name = names.has(plain) ? `${plain}#${index + 1}` : plain;
        names.add(name);
        const all = { ...about, check: name };
        add(checkUp, all, Number(report.up));
        if (latencyMs !== undefined) add(latency, all, latencyMs / 1_000);
      }
    }
  }
  for (const family of [quorum, panic, up, checkUp, latency]) yield* written(family, pause);
}

function add({ name, lines }: Samples, values: Record<string, string>, value: number): void {
  lines.push(sample(name, labels(values), value));
}

/** Lines that are written together. */
const LINES_TOGETHER = 300;

async function* written(family: Samples, pause: () => Promise<void>): AsyncGenerator<string> {
  if (family.lines.length === 0) return;
  yield header(family);
  for (let at = 0; at < family.lines.length; at += LINES_TOGETHER) {
    await pause();
    yield family.lines.slice(at, at + LINES_TOGETHER).join("");
  }
}
