/** What the files say together, with all defaults in their places: what is wanted of the director. */
import {
  addDestination,
  addService,
  type DesiredState,
  EMPTY_STATE,
} from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import { formatServiceKey, type Timeouts } from "../ipvs/desired/service.ts";
import type { WantedDestination, WantedService, WantedState } from "../ipvs/desired/wanted.ts";
import { type Port, toPort } from "../net/port.ts";
import { wantedDestination } from "./destination.ts";
import { secondsOf } from "./duration.ts";
import type { ConfigurationFile } from "./files.ts";
import type { ConfigurationProblem, Path } from "./problem.ts";
import type {
  DestinationContent,
  DestinationDefaults,
  PoolContent,
  ServiceContent,
} from "./schema.ts";
import { serviceSpec } from "./service.ts";

export interface Resolved {
  readonly wanted: WantedState;
  /** What services are called, by formatServiceKey(). */
  readonly names: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigurationProblem[];
}

interface Pool {
  readonly file: ConfigurationFile;
  readonly content: PoolContent;
  readonly path: Path;
}

/** Where a destination stands, and what it has that it does not say. */
interface Placed {
  readonly file: ConfigurationFile;
  readonly path: Path;
  readonly content: DestinationContent;
}

export function resolve(files: readonly ConfigurationFile[]): Resolved {
  const problems: ConfigurationProblem[] = [];
  const pools = poolsOf(files, problems);
  const services: WantedService[] = [];
  const places = new Map<string, string>();
  const names = new Map<string, string>();
  for (const file of files) {
    for (const [index, content] of (file.content.services ?? []).entries()) {
      const path = ["services", index];
      const wanted = wantedService({ file, path, content, pools, problems });
      if (wanted === undefined) continue;
      const keyText = formatServiceKey(wanted.spec.key);
      const { file: name, line, column } = file.document.problem(path, "");
      const known = places.get(keyText);
      if (known !== undefined) {
        problems.push(file.document.problem(path, `${keyText} stands at ${known} already`));
        continue;
      }
      places.set(keyText, `${name}:${line}:${column}`);
      if (content.name !== undefined) names.set(keyText, content.name);
      services.push(wanted);
    }
  }
  const timeouts = settingsOf(files, "timeouts", problems);
  const seconds = Object.entries(timeouts).map(([name, value]) => [name, secondsOf(value)]);
  const others = settingsOf(files, "others", problems);
  return {
    names,
    problems,
    wanted: {
      services,
      timeouts: Object.fromEntries(seconds) as Partial<Timeouts>,
      sysctls: settingsOf(files, "sysctls", problems) as Readonly<Record<string, number>>,
      keepsOthers: Object.values(others).includes("keep"),
    },
  };
}

function poolsOf(
  files: readonly ConfigurationFile[],
  problems: ConfigurationProblem[],
): ReadonlyMap<string, Pool> {
  const pools = new Map<string, Pool>();
  for (const file of files) {
    for (const [name, content] of Object.entries(file.content.pools ?? {})) {
      const path = ["pools", name];
      const known = pools.get(name);
      if (known === undefined) pools.set(name, { file, content, path });
      else {
        const { line } = known.file.document.problem(known.path, "");
        const place = `${known.file.document.file}:${line}`;
        problems.push(
          file.document.problem(path, `a pool of this name stands at ${place} already`),
        );
      }
    }
  }
  return pools;
}

/** Settings of the whole, which any file may have, each of them once. */
function settingsOf(
  files: readonly ConfigurationFile[],
  section: "timeouts" | "sysctls" | "others",
  problems: ConfigurationProblem[],
): Record<string, number | string> {
  const settings: Record<string, number | string> = {};
  for (const { document, content } of files) {
    const own = content[section] ?? {};
    const entries = typeof own === "string" ? [[undefined, own] as const] : Object.entries(own);
    for (const [name, value] of entries) {
      if (value === undefined) continue;
      const key = name ?? section;
      if (Object.hasOwn(settings, key) && settings[key] !== value) {
        const path = name === undefined ? [section] : [section, name];
        problems.push(document.problem(path, `another file says ${settings[key]} already`));
      }
      settings[key] = value;
    }
  }
  return settings;
}

interface ServicePlace {
  readonly file: ConfigurationFile;
  readonly path: Path;
  readonly content: ServiceContent;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly problems: ConfigurationProblem[];
}

function wantedService(place: ServicePlace): WantedService | undefined {
  const { file, path, content, pools, problems } = place;
  const spec = serviceSpec({ ...file.defaults.service, ...content }, (below, message) =>
    problems.push(file.document.problem([...path, ...below], message)),
  );
  const pool = content.pool === undefined ? undefined : pools.get(content.pool);
  if (content.pool !== undefined && pool === undefined) {
    const there = pools.size === 0 ? "there is none" : `there are ${[...pools.keys()].join(", ")}`;
    problems.push(
      file.document.problem(
        [...path, "pool"],
        `no pool is called ${JSON.stringify(content.pool)}: ${there}`,
      ),
    );
  }
  if (spec === undefined) return undefined;
  let state: DesiredState;
  try {
    state = addService(EMPTY_STATE, spec);
  } catch (error) {
    problems.push(file.document.problem(path, messageOf(error)));
    return undefined;
  }
  const port = spec.key.kind === "mark" ? toPort(0) : spec.key.endpoint.port;
  const destinations: WantedDestination[] = [];
  for (const placed of placedDestinations(file, path, content, pool)) {
    const wanted = wantedDestination(placed.content, port as Port);
    try {
      // As it will be when it is new: all that can be wrong with it is, then.
      state = addDestination(state, spec.key, { ...wanted, weight: wanted.weight ?? 1 });
      destinations.push(wanted);
    } catch (error) {
      problems.push(placed.file.document.problem(placed.path, messageOf(error)));
    }
  }
  return { spec, destinations };
}

/** A destination's own words come first, then its pool's, its service's, its file's. */
function placedDestinations(
  file: ConfigurationFile,
  path: Path,
  content: ServiceContent,
  pool: Pool | undefined,
): Placed[] {
  const place = (
    from: ConfigurationFile,
    at: Path,
    destinations: readonly DestinationContent[] = [],
    near: DestinationDefaults = {},
  ): Placed[] =>
    destinations.map((each, index) => ({
      file: from,
      path: [...at, "destinations", index],
      content: { ...from.defaults.destination, ...content.defaults, ...near, ...each },
    }));
  return [
    ...(pool === undefined
      ? []
      : place(pool.file, pool.path, pool.content.destinations, pool.content.defaults)),
    ...place(file, path, content.destinations),
  ];
}

function messageOf(error: unknown): string {
  if (error instanceof LbError) return error.message;
  throw error;
}
