/** A declared set of services as plain JSON: the settings, and a service each. */
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import type { DestinationPlan, ServicePlan, Timeouts } from "../ipvs/desired/service.ts";
import { changedSysctls } from "../ipvs/desired/set-sysctl.ts";
import type { WantedFile, WantedService, WantedState } from "../ipvs/desired/wanted.ts";
import { vipFromWire, vipToWire, type WireVip } from "./vip-wire.ts";
import {
  destinationFromWire,
  destinationToWire,
  serviceFromWire,
  serviceToWire,
  type WireDestination,
  type WireServiceRecord,
  type WireSysctls,
} from "./wire.ts";

export interface WireWantedDestination extends Omit<WireDestination, "weight" | "drain"> {
  /** Null: the one that it has; a new one has 1. */
  readonly weight: number | null;
}

export interface WireWantedService extends WireServiceRecord {
  readonly destinations: readonly WireWantedDestination[];
}

export interface WireWantedFile {
  readonly source: string;
  readonly drift: WantedFile["drift"];
  /** By formatServiceKey(). */
  readonly names: Readonly<Record<string, string>>;
}

/** What is left out stays as it is. */
export interface WireWantedSettings {
  /** The file that says what is wanted: what differs later is drift. */
  readonly file?: WireWantedFile | undefined;
  readonly timeouts: { readonly [Name in keyof Timeouts]?: number | undefined };
  readonly sysctls: WireSysctls;
  readonly vips?: readonly WireVip[] | undefined;
  /** Whether services stay that are not named. */
  readonly keepsOthers: boolean;
  /** For how long what is no longer wanted is drained before it goes. */
  readonly drainSeconds?: number | undefined;
}

/** The services of a state, and what is not as by default, as one would declare it. */
export function settingsOf({ timeouts, sysctls, vips }: DesiredState): WireWantedSettings {
  return {
    timeouts,
    sysctls: changedSysctls(sysctls),
    ...(vips.size === 0 ? {} : { vips: [...vips.values()].map(vipToWire) }),
    keepsOthers: false,
  };
}

export function planToWanted(plan: ServicePlan): WireWantedService {
  return { ...serviceToWire(plan), destinations: plan.destinations.map(withoutDrain) };
}

/** As it is when nobody drains it. */
function withoutDrain(plan: DestinationPlan): WireWantedDestination {
  const { drain, ...rest } = destinationToWire(plan);
  return { ...rest, weight: drain?.weight ?? rest.weight };
}

export function wantedSettingsToWire(wanted: Omit<WantedState, "services">): WireWantedSettings {
  const { timeouts, sysctls, vips, keepsOthers, drainSeconds, file } = wanted;
  return {
    ...(file === undefined ? {} : { file: { ...file, names: Object.fromEntries(file.names) } }),
    timeouts,
    sysctls,
    ...(vips === undefined ? {} : { vips: vips.map(vipToWire) }),
    keepsOthers,
    ...(drainSeconds === undefined ? {} : { drainSeconds }),
  };
}

export function wantedSettingsFromWire(wire: WireWantedSettings): Omit<WantedState, "services"> {
  const named = Object.entries(wire.timeouts).filter(([, seconds]) => seconds !== undefined);
  const { file, vips, ...rest } = wire;
  return {
    ...rest,
    ...(file === undefined
      ? {}
      : { file: { ...file, names: new Map(Object.entries(file.names)) } }),
    ...(vips === undefined ? {} : { vips: vips.map(vipFromWire) }),
    timeouts: Object.fromEntries(named),
  };
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
