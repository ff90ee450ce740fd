/** What `sluice status` shows, gathered from engine, control and daemon. */
import type { Control } from "../control/control.ts";
import type { FindingWatch } from "../control/finding-watch.ts";
import type { VipStatus } from "../engine/host/vips/vip-status.ts";
import { drainedServers } from "../ipvs/desired/drain.ts";
import { wordingOf } from "../ipvs/diagnosis/finding.ts";
import { driftOf } from "./drift.ts";
import { type HealthSource, healthOf } from "./health.ts";
import type { Status } from "./messages.ts";
import { vipFindings, vipToStatus } from "./vips.ts";

/** A file that was read again, and is not used. */
export interface RefusedReload {
  readonly at: Date;
  readonly path: string;
  readonly problems: readonly string[];
}

export interface StatusParts {
  readonly startedAt: Date;
  /** Where the state is kept; undefined: nowhere. */
  readonly statePath: string | undefined;
  /** Lines of the log that were lost because nobody read them. */
  readonly logLinesLost: () => number;
  readonly findings: FindingWatch;
  /** What stands of the VIPs that the daemon adds. */
  readonly vips: () => readonly VipStatus[];
  /** Undefined while no service is checked. */
  readonly health: () => HealthSource | undefined;
  /** Undefined when what the daemon read last is in force. */
  readonly refusedReload: () => RefusedReload | undefined;
}

export async function statusOf(
  control: Control,
  { version, pid, status }: { version: string; pid: number; status: StatusParts },
): Promise<Status> {
  const { condition, lasting } = await status.findings.look();
  const vips = status.vips();
  const services = [...control.state.services.values()];
  return {
    version,
    pid,
    startedAt: status.startedAt.toISOString(),
    engine: control.engine.name,
    stand: condition.stand,
    cards: condition.cards,
    state: status.statePath ?? null,
    stateTrouble: control.stateTrouble ?? null,
    services: services.length,
    servers: services.reduce((sum, { destinations }) => sum + destinations.length, 0),
    connections: condition.connections,
    connectionsMax: condition.connectionsMax,
    logLinesLost: status.logLinesLost(),
    health: healthOf(status.health()),
    generation: control.generation,
    drift: await driftOf(control),
    refusedReload: refusedToStatus(status.refusedReload()),
    draining: [...drainedServers(control.state)].length,
    vips: vips.map(vipToStatus),
    findings: [
      ...vipFindings(vips),
      ...lasting.map(({ finding, since }) => ({
        code: finding.code,
        since: since.toISOString(),
        ...wordingOf(finding),
      })),
    ],
    findingsOmitted: condition.findingsOmitted,
  };
}

function refusedToStatus(refused: RefusedReload | undefined): Status["refusedReload"] {
  return refused === undefined ? null : { ...refused, at: refused.at.toISOString() };
}
