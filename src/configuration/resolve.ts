/** What the files say together, with all defaults in their places: what is wanted of the director. */
import {
  addDestination,
  addService,
  type DesiredState,
  EMPTY_STATE,
} from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import { formatRange, haveCommonPorts, type PortRange } from "../ipvs/desired/port-range.ts";
import { formatEndpoint, formatServiceKey, type Timeouts } from "../ipvs/desired/service.ts";
import { NO_VIPS, type VipPlan, withVips } from "../ipvs/desired/vip.ts";
import type { WantedFile, WantedService, WantedState } from "../ipvs/desired/wanted.ts";
import { type Port, toPort } from "../net/port.ts";
import { amongOthers, type CheckLevel, Checks, lacksPort } from "./checks.ts";
import { type DaemonSettings, daemonSettings } from "./daemon-settings.ts";
import { wantedDestination } from "./destination.ts";
import { secondsOf } from "./duration.ts";
import type { ConfigurationFile } from "./files.ts";
import { type CheckedDestination, serviceHealth } from "./health.ts";
import type { ConfigurationProblem, Path } from "./problem.ts";
import type {
  DestinationContent,
  DestinationDefaults,
  PoolContent,
  ServiceContent,
} from "./schema.ts";
import { nameOfRange, serviceSpec } from "./service.ts";
import { wantedVip } from "./vip.ts";

export interface Resolved {
  readonly wanted: WantedState;
  /** What services are called, by formatServiceKey(). */
  readonly names: ReadonlyMap<string, string>;
  /** What becomes of what other hands change. */
  readonly drift: WantedFile["drift"];
  /** What the daemon itself is to do. */
  readonly daemon: DaemonSettings;
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
  /** What may say how it is checked. */
  readonly levels: readonly CheckLevel[];
}

export function resolve(files: readonly ConfigurationFile[]): Resolved {
  const problems: ConfigurationProblem[] = [];
  const pools = poolsOf(files, problems);
  const checks = new Checks(files, problems);
  const services: WantedService[] = [];
  const places = new Map<string, string>();
  const names = new Map<string, string>();
  const ranges: { readonly range: PortRange; readonly place: string }[] = [];
  for (const file of files) {
    for (const [index, content] of (file.content.services ?? []).entries()) {
      const path = ["services", index];
      const wanted = wantedService({ file, path, content, pools, checks, problems });
      if (wanted === undefined) continue;
      const keyText = formatServiceKey(wanted.spec.key);
      const { range } = wanted.spec;
      const { file: name, line, column } = file.document.problem(path, "");
      const known = places.get(keyText);
      if (known !== undefined) {
        problems.push(file.document.problem(path, `${keyText} stands at ${known} already`));
        continue;
      }
      places.set(keyText, `${name}:${line}:${column}`);
      const overlapping = range && ranges.find((each) => haveCommonPorts(each.range, range));
      if (overlapping !== undefined) {
        const other = `${formatRange(overlapping.range)} at ${overlapping.place}`;
        problems.push(
          file.document.problem([...path, "port"], `it has ports in common with ${other}`),
        );
        continue;
      }
      if (range !== undefined) ranges.push({ range, place: places.get(keyText)! });
      const called = content.name ?? (range && nameOfRange(range));
      if (called !== undefined) names.set(keyText, called);
      services.push(wanted);
    }
  }
  const timeouts = settingsOf(files, "timeouts", problems);
  const seconds = Object.entries(timeouts).map(([name, value]) => [name, secondsOf(value)]);
  const others = settingsOf(files, "others", problems);
  const { drain } = settingsOf(files, "remove", problems);
  const drift = settingsOf(files, "drift", problems);
  return {
    names,
    drift: Object.values(drift).includes("reconcile") ? "reconcile" : "keep",
    problems,
    daemon: daemonSettings((section) => settingsOf(files, section, problems), files),
    wanted: {
      services,
      timeouts: Object.fromEntries(seconds) as Partial<Timeouts>,
      sysctls: settingsOf(files, "sysctls", problems) as Readonly<Record<string, number>>,
      vips: vipsOf(files, problems),
      keepsOthers: Object.values(others).includes("keep"),
      ...(drain === undefined ? {} : { drainSeconds: secondsOf(drain) }),
    },
  };
}

function vipsOf(
  files: readonly ConfigurationFile[],
  problems: ConfigurationProblem[],
): readonly VipPlan[] {
  const places = new Map<string, string>();
  const vips: VipPlan[] = [];
  for (const { document, content } of files) {
    for (const [index, each] of (content.vips ?? []).entries()) {
      const path = ["vips", index];
      const plan = wantedVip(each);
      const text = plan.address.toString();
      const known = places.get(text);
      try {
        withVips(NO_VIPS, [plan], false);
        if (known === undefined) vips.push(plan);
        else problems.push(document.problem(path, `${text} stands at ${known} already`));
      } catch (error) {
        problems.push(document.problem(path, messageOf(error)));
      }
      const { file, line, column } = document.problem(path, "");
      places.set(text, known ?? `${file}:${line}:${column}`);
    }
  }
  return vips;
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
  section: "timeouts" | "sysctls" | "others" | "remove" | "drift" | "metrics" | "api",
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
  readonly checks: Checks;
  readonly problems: ConfigurationProblem[];
}

function wantedService(place: ServicePlace): WantedService | undefined {
  const { file, path, content, pools, checks, problems } = place;
  const spec = serviceSpec({ ...file.defaults.service, ...content }, (below, message) =>
    problems.push(file.document.problem([...path, ...below], message)),
  );
  const pool = content.pool === undefined ? undefined : pools.get(content.pool);
  if (content.pool !== undefined && pool === undefined) {
    const message = `no pool is called ${amongOthers(content.pool, [...pools.keys()])}`;
    problems.push(file.document.problem([...path, "pool"], message));
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
  const levels = levelsOf(place, pool);
  const destinations: CheckedDestination[] = [];
  for (const placed of placedDestinations(place, pool)) {
    const wanted = wantedDestination(placed.content, port as Port);
    const complain = (message: string): void => {
      problems.push(placed.file.document.problem(placed.path, message));
    };
    const plans = checks.of(placed.levels);
    const lacking = plans.find((plan) => lacksPort(plan, wanted.endpoint.port));
    if (lacking !== undefined) {
      complain(`its check ${lacking.name ?? lacking.type} needs a port: neither of them has one`);
    }
    try {
      // As it will be when it is new: all that can be wrong with it is, then.
      state = addDestination(state, spec.key, { ...wanted, weight: wanted.weight ?? 1 });
      destinations.push({ wanted, checks: plans, onFailure: placed.content.onFailure });
    } catch (error) {
      complain(messageOf(error));
    }
  }
  const settings = { ...file.defaults.service.health, ...content.health };
  const defaults = { ...file.defaults.destination, ...content.defaults };
  const health = serviceHealth(settings, defaults, port as Port, checks.of(levels), destinations);
  const wanted = destinations.map((each) => each.wanted);
  if (health === undefined) return { spec, destinations: wanted };
  const { sorry, panicPercent } = health;
  if (sorry !== undefined) {
    const at = [...path, "health", "sorry"];
    if (panicPercent > 0) {
      problems.push(file.document.problem(at, "sorry and panic exclude each other"));
    }
    try {
      addDestination(addService(EMPTY_STATE, spec), spec.key, sorry);
    } catch (error) {
      problems.push(file.document.problem(at, messageOf(error)));
    }
  }
  return { spec: { ...spec, health }, destinations: wanted };
}

/** Those that hold for all destinations of a service, the nearest first. */
function levelsOf({ file, path, content }: ServicePlace, pool: Pool | undefined): CheckLevel[] {
  const destination = (pool ?? { file }).file;
  return [
    ...(pool === undefined
      ? []
      : [
          {
            file: pool.file,
            path: [...pool.path, "defaults"],
            content: pool.content.defaults,
          },
          { file: pool.file, path: pool.path, content: pool.content },
        ]),
    { file, path, content },
    { file, path: [...path, "defaults"], content: content.defaults },
    {
      file: destination,
      path: ["defaults", "destination"],
      content: destination.defaults.destination,
    },
    { file, path: ["defaults", "service"], content: file.defaults.service },
  ];
}

/** A destination's own words come first, then its pool's, its service's, its file's. */
function placedDestinations(servicePlace: ServicePlace, pool: Pool | undefined): Placed[] {
  const { file, path, content } = servicePlace;
  const place = (
    levels: readonly CheckLevel[],
    from: ConfigurationFile,
    at: Path,
    destinations: readonly DestinationContent[] = [],
    near: DestinationDefaults = {},
  ): Placed[] =>
    destinations.map((each, index) => {
      const itsPath = [...at, "destinations", index];
      return {
        file: from,
        path: itsPath,
        content: { ...from.defaults.destination, ...content.defaults, ...near, ...each },
        levels: [{ file: from, path: itsPath, content: each }, ...levels],
      };
    });
  return [
    ...(pool === undefined
      ? []
      : place(
          levelsOf(servicePlace, pool),
          pool.file,
          pool.path,
          pool.content.destinations,
          pool.content.defaults,
        )),
    ...place(levelsOf(servicePlace, undefined), file, path, content.destinations),
  ];
}

/** Without ipvsadm's words, and without what the problem's place says. */
function messageOf(error: unknown): string {
  if (!(error instanceof LbError)) throw error;
  const { fault } = error;
  switch (fault.code) {
    case "invalid":
    case "invalid-vip":
      return fault.why;
    case "destination-exists":
      return `${formatEndpoint(fault.at)} stands there already`;
    case "threshold-out-of-range":
      return `lowerThreshold ${fault.lower} is above upperThreshold ${fault.upper}`;
    default:
      return error.message;
  }
}
