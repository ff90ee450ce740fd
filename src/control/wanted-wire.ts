/** A declared set of services as plain JSON: the settings, and a service each. */
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import type { ServicePlan, Timeouts } from "../ipvs/desired/service.ts";
import { changedSysctls } from "../ipvs/desired/set-sysctl.ts";
import type { WantedService, WantedState } from "../ipvs/desired/wanted.ts";
import {
  destinationFromWire,
  destinationToWire,
  serviceFromWire,
  serviceToWire,
  type WireDestination,
  type WireServiceRecord,
  type WireSysctls,
} from "./wire.ts";

export interface WireWantedDestination extends Omit<WireDestination, "weight"> {
  /** Null: the one that it has; a new one has 1. */
  readonly weight: number | null;
}

export interface WireWantedService extends WireServiceRecord {
  readonly destinations: readonly WireWantedDestination[];
}

/** What is left out stays as it is. */
export interface WireWantedSettings {
  readonly timeouts: { readonly [Name in keyof Timeouts]?: number | undefined };
  readonly sysctls: WireSysctls;
  /** Whether services stay that are not named. */
  readonly keepsOthers: boolean;
  /** For how long what is no longer wanted is drained before it goes. */
  readonly drainSeconds?: number | undefined;
}

/** The services of a state, and what is not as by default, as one would declare it. */
export function settingsOf({ timeouts, sysctls }: DesiredState): WireWantedSettings {
  return { timeouts, sysctls: changedSysctls(sysctls), keepsOthers: false };
}

export function planToWanted(plan: ServicePlan): WireWantedService {
  return { ...serviceToWire(plan), destinations: plan.destinations.map(destinationToWire) };
}

export function wantedSettingsToWire(wanted: Omit<WantedState, "services">): WireWantedSettings {
  const { timeouts, sysctls, keepsOthers, drainSeconds } = wanted;
  return {
    timeouts,
    sysctls,
    keepsOthers,
    ...(drainSeconds === undefined ? {} : { drainSeconds }),
  };
}

export function wantedSettingsFromWire(wire: WireWantedSettings): Omit<WantedState, "services"> {
  const named = Object.entries(wire.timeouts).filter(([, seconds]) => seconds !== undefined);
  return { ...wire, timeouts: Object.fromEntries(named) };
}

export function wantedServiceToWire({ spec, destinations }: WantedService): WireWantedService {
  return {
    ...serviceToWire(spec),
    destinations: destinations.map(({ weight, ...rest }) => ({
      ...destinationToWire({ ...rest, weight: 0 }),
      weight: weight ?? null,
    })),
  };
}

/** Throws LbError when it asks for what no service can have. */
export function wantedServiceFromWire({
  destinations,
  ...record
}: WireWantedService): WantedService {
  return {
    spec: serviceFromWire(record),
    destinations: destinations.map(({ weight, ...rest }) => ({
      ...destinationFromWire({ ...rest, weight: 0 }),
      weight: weight ?? undefined,
    })),
  };
}
