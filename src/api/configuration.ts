/** The whole of what is wanted, read and replaced as one: JSON by the line, first the settings, then a service a line. */
import type { z } from "zod";
import { Pauses, withPauses } from "../base/pauses.ts";
import type { Author } from "../control/author.ts";
import type { Control } from "../control/control.ts";
import {
  planToWanted,
  settingsOf,
  type WireWantedService,
  type WireWantedSettings,
  wantedServiceFromWire,
  wantedSettingsFromWire,
} from "../control/wanted-wire.ts";
import { keyToWire, type WireHealth } from "../control/wire.ts";
import { WANTED_SERVICE_SCHEMA, WANTED_SETTINGS_SCHEMA } from "../control/wire-schema.ts";
import type { ServiceStatus } from "../engine/engine.ts";
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import { type Difference, differences } from "../ipvs/desired/differences.ts";
import { formatEndpoint, formatServiceKey, type ServiceKey } from "../ipvs/desired/service.ts";
import { reconciling, type WantedService, type WantedState } from "../ipvs/desired/wanted.ts";
import { formatServiceId } from "./ids.ts";
import type { Plan, PlannedChange } from "./messages.ts";
import { expectedGeneration, mustBeInForce } from "./precondition.ts";
import { BadRequest, TooLarge } from "./problem.ts";
import { linesOf, parseJson, readAs } from "./reading.ts";

/** A service with some thousands of destinations, or the names of some ten thousand services. */
const LINE_MAX_BYTES = 4 * 1024 * 1024;

const BODY_MAX_BYTES = 128 * 1024 * 1024;

export async function* configurationLines(
  state: DesiredState,
): AsyncGenerator<WireWantedSettings | WireWantedService> {
  const pauses = new Pauses();
  yield settingsOf(state);
  for (const plan of state.services.values()) {
    await pauses.ifDue();
    yield planToWanted(plan);
  }
}

/** What the lines of `request` would change. */
export async function plan(control: Control, request: Request): Promise<Plan> {
  const wanted = await readWanted(request);
  const before = control.state;
  const after = await withPauses(reconciling(before, wanted, Date.now()));
  return planOf(before, after, await control.engine.services());
}

/** Puts the lines in force, all or none, and tells what that changed. */
export async function apply(control: Control, request: Request, by: Author): Promise<Plan> {
  const expected = expectedGeneration(request);
  const wanted = await readWanted(request);
  const traffic = await control.engine.services();
  const { before, after } = await control.replace((state) => {
    mustBeInForce(control, expected, state);
    return reconciling(state, wanted, Date.now());
  }, by);
  await control.declarations.note(wanted, by);
  return planOf(before, after, traffic);
}

/** What lines want that have something else in the first: `readFirst` takes it. */
export async function readWantedAfter<First>(
  request: Request,
  readFirst: (line: string) => First,
): Promise<{ readonly first: First; readonly wanted: WantedState }> {
  let first: { readonly is: First } | undefined;
  const wanted = await readWanted(request, (line) => {
    first = { is: readFirst(line) };
  });
  return { first: first!.is, wanted };
}

async function readWanted(
  request: Request,
  takeFirst?: (line: string) => void,
): Promise<WantedState> {
  const pauses = new Pauses();
  const services: WantedService[] = [];
  let settings: WireWantedSettings | undefined;
  let length = 0;
  let number = 0;
  for await (const line of linesOf(request, LINE_MAX_BYTES)) {
    await pauses.ifDue();
    number++;
    length += line.length;
    if (length > BODY_MAX_BYTES)
      throw new TooLarge(`The body is longer than ${BODY_MAX_BYTES} bytes`);
    if (takeFirst !== undefined && number === 1) takeFirst(line);
    else if (settings === undefined) settings = readLine(WANTED_SETTINGS_SCHEMA, line, number);
    else {
      const service = readLine(WANTED_SERVICE_SCHEMA, line, number);
      if (service.health !== undefined) await checkSettings(service.health, number);
      services.push(wantedServiceFromWire(service));
    }
  }
  if (settings === undefined) {
    const place = takeFirst === undefined ? "its first line" : "its second line";
    throw new BadRequest(`The body is too short: expected the settings in ${place}, {} for none`);
  }
  return { ...wantedSettingsFromWire(settings), services };
}

export function readLine<Wire>(schema: z.ZodType<Wire>, line: string, number: number): Wire {
  try {
    return readAs(schema, parseJson(line));
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    throw new BadRequest(`line ${number}: ${error.message}`, error.problems);
  }
}

/** Kinds of checks and their settings are many, and most callers send none. */
async function checkSettings(health: WireHealth, number: number): Promise<void> {
  const { settingsProblem } = await import("../health/check-settings.ts");
  const problem = settingsProblem(health);
  if (problem !== undefined) throw new BadRequest(`line ${number}: ${problem}`);
}

export function planOf(
  before: DesiredState,
  after: DesiredState,
  traffic: readonly ServiceStatus[],
): Plan {
  const counts = countsOf(traffic);
  return {
    changes: differences(before, after).map((difference) => changeOf(difference, counts)),
  };
}

/** How many connections services and their destinations have. */
export function countsOf(traffic: readonly ServiceStatus[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { plan: service, destinations } of traffic) {
    const connections = destinations.map(
      (each) => each.activeConnections + each.inactiveConnections,
    );
    counts.set(
      countKey(service.key),
      connections.reduce((sum, count) => sum + count, 0),
    );
    for (const [index, { plan: destination }] of destinations.entries()) {
      counts.set(countKey(service.key, formatEndpoint(destination.endpoint)), connections[index]!);
    }
  }
  return counts;
}

export function changeOf(
  difference: Difference,
  counts: ReadonlyMap<string, number>,
): PlannedChange {
  const { action, what } = difference;
  const facts = difference.facts.map(({ name, before, after }) => ({
    name,
    before: before ?? null,
    after: after ?? null,
  }));
  if ("vip" in difference) {
    const { vip } = difference;
    return { action, what: "vip", vip, service: null, destination: null, facts, connections: 0 };
  }
  if (!("service" in difference)) {
    const { what: setting } = difference;
    return { action, what: setting, service: null, destination: null, facts, connections: 0 };
  }
  const { service } = difference;
  const destination =
    "destination" in difference ? formatEndpoint(difference.destination) : undefined;
  return {
    action,
    what,
    service: serviceId(service),
    destination: destination ?? null,
    facts,
    connections: counts.get(countKey(service, destination)) ?? 0,
  };
}

function countKey(service: ServiceKey, destination?: string): string {
  return destination === undefined
    ? formatServiceKey(service)
    : `${formatServiceKey(service)} ${destination}`;
}

function serviceId(key: ServiceKey): string {
  return formatServiceId(keyToWire(key));
}
