/**
 * What `/metrics` answers, part by part: packets have their turn between them, however many destinations there are.
 *
 * How many samples there can be is known: the labels are services and destinations, which the operator configures, reasons
 * and findings, which are closed lists, and never anything that a packet brings. Beyond DESTINATIONS_MAX destinations the
 * rest have none, and `sluice_destinations_omitted` says how many they are. The families of traffic are written here and
 * not kept in a registry, which would hold every sample and render all of them at one go.
 */
import { Pauses } from "../../base/pauses.ts";
import type { Control } from "../../control/control.ts";
import { keyToWire } from "../../control/wire.ts";
import type { ServiceStatus } from "../../engine/engine.ts";
import { formatEndpoint } from "../../ipvs/desired/service.ts";
import { formatServiceId } from "../ids.ts";
import type { StatusParts } from "../status.ts";
import { type Family, header, labels, sample } from "./exposition.ts";
import { healthFamilies } from "./health.ts";
import { type FamilyOf, OF_DESTINATIONS, OF_SERVICES, TOTALS } from "./traffic.ts";

/** Some 30 MB of text: more than a Prometheus would like to be given at once. */
const DESTINATIONS_MAX = 20_000;
/** Written together: a line alone would cost a system call. */
const PART_LENGTH = 32 * 1024;

export interface PageParts {
  readonly version: string;
  readonly status: StatusParts;
  /** The process's own families, as text. */
  readonly ofProcess: () => Promise<string>;
  /** See DESTINATIONS_MAX. */
  readonly destinationsMax?: number;
}

interface Sampled<Source> {
  readonly labels: string;
  readonly source: Source;
}

export async function* metricsPage(control: Control, parts: PageParts): AsyncGenerator<string> {
  const { engine } = control;
  yield await daemonFamilies(control, parts);
  yield family(
    {
      name: "sluice_reasons_total",
      type: "counter",
      help: "Packets that left the director, by the reason for what became of them: sluice reasons has the words.",
    },
    Object.entries(await engine.reasons()).map(([reason, count]) => [{ reason }, count]),
  );
  yield* families(TOTALS, [{ labels: "", source: await engine.totals() }]);
  const services = await engine.services();
  const { ofServices, ofDestinations, omitted } = await labelled(
    services,
    parts.destinationsMax ?? DESTINATIONS_MAX,
  );
  yield family(
    {
      name: "sluice_destinations_omitted",
      type: "gauge",
      help: "Destinations without samples of their own, because there are too many.",
    },
    [[{}, omitted]],
  );
  yield* families(OF_SERVICES, ofServices);
  yield* families(OF_DESTINATIONS, ofDestinations);
  const pauses = new Pauses();
  const most = parts.destinationsMax ?? DESTINATIONS_MAX;
  yield* healthFamilies(parts.status.health(), most, () => pauses.ifDue());
  yield await parts.ofProcess();
}

async function daemonFamilies(control: Control, { version, status }: PageParts): Promise<string> {
  const { engine, state } = control;
  const { connections, connectionsMax, expiryLagMs } = await engine.load();
  const gauge = (name: string, help: string, value: number, values = {}): string =>
    family({ name, type: "gauge", help }, [[values, value]]);
  const destinations = [...state.services.values()].reduce(
    (sum, service) => sum + service.destinations.length,
    0,
  );
  return [
    gauge("sluice_info", "The daemon and the engine that it runs.", 1, {
      version,
      engine: engine.name,
    }),
    gauge(
      "sluice_configuration_generation",
      "The number of the last change that was acknowledged: each makes one more.",
      control.generation,
    ),
    gauge(
      "sluice_configuration_last_reload_successful",
      "1 or 0: whether the file is in force that the daemon read last.",
      status.refusedReload() === undefined ? 1 : 0,
    ),
    gauge("sluice_services", "Services in force.", state.services.size),
    gauge("sluice_destinations", "Destinations in force, over all services.", destinations),
    gauge(
      "sluice_connection_table_entries",
      "Entries of the connection table: connections, persistence templates, ended ones that are remembered.",
      connections,
    ),
    gauge("sluice_connection_table_limit", "How many entries it may have.", connectionsMax),
    gauge(
      "sluice_expiry_lag_seconds",
      "For how long the connection whose time is over longest has waited to be removed.",
      expiryLagMs / 1_000,
    ),
    findings(status),
    family(
      {
        name: "sluice_log_lines_lost_total",
        type: "counter",
        help: "Lines of the daemon's log that were lost because nobody read them.",
      },
      [[{}, status.logLinesLost()]],
    ),
  ].join("");
}

/** As of the last look, up to some seconds ago: to look anew takes time, and every scrape would. */
function findings({ findings: watch }: StatusParts): string {
  const counts = new Map<string, number>();
  for (const { finding } of watch.lasting) {
    counts.set(finding.code, (counts.get(finding.code) ?? 0) + 1);
  }
  return family(
    {
      name: "sluice_findings",
      type: "gauge",
      help: "What keeps services from working, by its code: sluice status says about what, and what to do.",
    },
    [...counts].map(([code, count]) => [{ code }, count]),
  );
}

async function labelled(services: readonly ServiceStatus[], most: number) {
  const pauses = new Pauses();
  const ofServices: Sampled<ServiceStatus>[] = [];
  const ofDestinations: Sampled<ServiceStatus["destinations"][number]>[] = [];
  let omitted = 0;
  for (const service of services) {
    const id = formatServiceId(keyToWire(service.plan.key));
    ofServices.push({ labels: labels({ service: id }), source: service });
    for (const destination of service.destinations) {
      if (ofDestinations.length >= most) {
        omitted++;
        continue;
      }
      await pauses.ifDue();
      const values = { service: id, destination: formatEndpoint(destination.plan.endpoint) };
      ofDestinations.push({ labels: labels(values), source: destination });
    }
  }
  return { ofServices, ofDestinations, omitted };
}

async function* families<Source>(
  table: readonly FamilyOf<Source>[],
  all: readonly Sampled<Source>[],
): AsyncGenerator<string> {
  if (all.length === 0) return;
  const pauses = new Pauses();
  let text = "";
  for (const each of table) {
    text += header(each);
    for (const { labels: own, source } of all) {
      const value = each.value(source);
      if (typeof value === "number") text += sample(each.name, own, value);
      else {
        const rest = own === "" ? "" : `${own},`;
        text += sample(each.name, `${rest}direction="in"`, value.in);
        text += sample(each.name, `${rest}direction="out"`, value.out);
      }
      if (text.length < PART_LENGTH) continue;
      await pauses.ifDue();
      yield text;
      text = "";
    }
  }
  yield text;
}

/** Empty without samples: a family that is announced has some. */
function family(
  one: Family,
  samples: readonly (readonly [Readonly<Record<string, string>>, number])[],
): string {
  if (samples.length === 0) return "";
  return header(one) + samples.map(([own, value]) => sample(one.name, labels(own), value)).join("");
}
