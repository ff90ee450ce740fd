/**
 * Services and what is known of them as plain JSON: what the API speaks and what the state file holds.
 *
 * Addresses are text, an absent value is null, flags have names. wire-schema.ts checks JSON that comes from outside;
 * the functions here expect JSON that was checked, or that our own daemon wrote.
 */

import type { DestinationSpec, ServiceSpec } from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import type { ServiceHealth } from "../ipvs/desired/health.ts";
import type { PortRange } from "../ipvs/desired/port-range.ts";
import {
  type Drain,
  type Endpoint,
  type Forwarding,
  familyOf,
  type Mark,
  type Persistence,
  type Protocol,
  SCHEDULER_FLAG,
  type ServiceKey,
  type TunnelChecksum,
} from "../ipvs/desired/service.ts";
import type { SchedulerName } from "../ipvs/schedulers/index.ts";
import type { Counters, Rates } from "../ipvs/services/statistics.ts";
import type { ConnectionStatus, DestinationStatus, ServiceStatus } from "../ipvs/status.ts";
import { Address, type Family } from "../net/address.ts";
import { toPort } from "../net/port.ts";

export interface WireEndpoint {
  readonly address: string;
  readonly port: number;
}

export type WireServiceKey =
  | { readonly kind: "endpoint"; readonly protocol: Protocol; readonly endpoint: WireEndpoint }
  | { readonly kind: "mark"; readonly family: Family; readonly mark: number };

/** An IPv4 service has a netmask, an IPv6 service a prefix length. */
export type WirePersistence =
  | { readonly timeoutSeconds: number; readonly netmask: string }
  | { readonly timeoutSeconds: number; readonly prefixLength: number };

export type WireForwarding =
  | { readonly kind: "masquerade" }
  | { readonly kind: "route" }
  | { readonly kind: "tunnel"; readonly encapsulation: "ipip" }
  | { readonly kind: "tunnel"; readonly encapsulation: "gre"; readonly checksum: "none" | "full" }
  | {
      readonly kind: "tunnel";
      readonly encapsulation: "gue";
      readonly port: number;
      readonly checksum: TunnelChecksum;
    };

export type SchedulerFlagName = keyof typeof SCHEDULER_FLAG;

/** A service's own record. Scheduler and engine are any text here: the commands refuse names that nobody has. */
export interface WireServiceRecord {
  readonly key: WireServiceKey;
  readonly scheduler: string;
  readonly schedulerFlags: readonly SchedulerFlagName[];
  readonly onePacket: boolean;
  readonly persistence: WirePersistence | null;
  readonly persistenceEngine: string | null;
  /** Left out: none, and with an edit: what there is. */
  readonly health?: WireHealth | undefined;
  /** Of a mark: what is sent to these ports is given it. Left out: nothing, and with an edit: what there is. */
  readonly range?: WireRange | undefined;
}

export interface WireRange {
  readonly protocol: Protocol;
  readonly address: string;
  readonly first: number;
  readonly last: number;
}

/** It is plain data already, but for the sorry server's address. */
export interface WireHealth extends Omit<ServiceHealth, "sorry"> {
  readonly sorry?: (WireDestination & { readonly isStanding: boolean }) | undefined;
}

export interface WireDrain {
  /** As ISO 8601 has it. */
  readonly since: string;
  /** Null: until the last connection has ended. */
  readonly timeoutSeconds: number | null;
  /** "remove-service": with the last of its servers the service goes, too. */
  readonly afterwards: "remove" | "remove-service" | "keep";
  /** "file": a file wants it no longer. */
  readonly cause: "operator" | "file";
  readonly isForced: boolean;
  /** What the server weighs when the drain is taken back. */
  readonly weight: number;
  readonly isOver: boolean;
}

export interface WireDestination {
  readonly endpoint: WireEndpoint;
  readonly forwarding: WireForwarding;
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  /** Only of one that is drained. */
  readonly drain?: WireDrain | undefined;
}

/** Knobs of net.ipv4.vs by name. Text is read as the kernel reads what is written into its file. */
export type WireSysctls = Readonly<Record<string, number | string>>;

export interface WireDestinationStatus extends WireDestination {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly persistentConnections: number;
  readonly counters: Counters;
  readonly rates: Rates;
}

export interface WireServiceStatus extends WireServiceRecord {
  /** In the order in which they were added. */
  readonly destinations: readonly WireDestinationStatus[];
  readonly counters: Counters;
  readonly rates: Rates;
}

export interface WireConnection {
  readonly protocol: ConnectionStatus["protocol"];
  readonly state: string;
  readonly expiresInMs: number;
  /** Since its first packet, to the second; null: not known. */
  readonly ageSeconds: number | null;
  readonly client: WireEndpoint;
  readonly virtual: WireEndpoint;
  readonly destination: WireEndpoint;
  readonly persistenceEngine: { readonly name: string; readonly data: string } | null;
}

export function endpointToWire({ address, port }: Endpoint): WireEndpoint {
  return { address: address.toString(), port };
}

function endpointFromWire({ address, port }: WireEndpoint): Endpoint {
  return { address: addressFromWire(address), port: toPort(port) };
}

export function keyToWire(key: ServiceKey): WireServiceKey {
  return key.kind === "mark" ? key : { ...key, endpoint: endpointToWire(key.endpoint) };
}

export function keyFromWire(key: WireServiceKey): ServiceKey {
  return key.kind === "mark"
    ? { ...key, mark: key.mark as Mark }
    : { ...key, endpoint: endpointFromWire(key.endpoint) };
}

export function serviceToWire(service: ServiceSpec): WireServiceRecord {
  const { persistence } = service;
  return {
    key: keyToWire(service.key),
    scheduler: service.scheduler,
    schedulerFlags: FLAG_NAMES.filter((name) => service.schedulerFlags & SCHEDULER_FLAG[name]),
    onePacket: service.onePacket,
    persistence:
      persistence === undefined ? null : persistenceToWire(persistence, familyOf(service.key)),
    persistenceEngine: service.persistenceEngine ?? null,
    ...(service.health === undefined ? {} : { health: healthToWire(service.health) }),
    ...(service.range === undefined ? {} : { range: rangeToWire(service.range) }),
  };
}

/** Throws LbError when the record asks for what no service can have. */
export function serviceFromWire(wire: WireServiceRecord): ServiceSpec {
  const key = keyFromWire(wire.key);
  const { persistenceEngine } = wire;
  if (persistenceEngine !== null && persistenceEngine !== "sip") {
    throw new LbError({ code: "no-such-scheduler", service: key, name: persistenceEngine });
  }
  return {
    key,
    scheduler: wire.scheduler as SchedulerName,
    schedulerFlags: wire.schedulerFlags.reduce((sum, name) => sum | SCHEDULER_FLAG[name], 0),
    onePacket: wire.onePacket,
    persistence: wire.persistence === null ? undefined : persistenceFromWire(wire.persistence, key),
    persistenceEngine: persistenceEngine ?? undefined,
    ...(wire.health === undefined ? {} : { health: healthFromWire(wire.health) }),
    ...(wire.range === undefined ? {} : { range: rangeFromWire(wire.range) }),
  };
}

function rangeToWire({ address, ...range }: PortRange): WireRange {
  return { ...range, address: address.toString() };
}

function rangeFromWire({ protocol, address, first, last }: WireRange): PortRange {
  return {
    protocol,
    address: addressFromWire(address),
    first: toPort(first),
    last: toPort(last),
  };
}

function healthToWire({ sorry, ...health }: ServiceHealth): WireHealth {
  if (sorry === undefined) return health;
  return { ...health, sorry: { ...destinationToWire(sorry), isStanding: sorry.isStanding } };
}

function healthFromWire({ sorry, ...wire }: WireHealth): ServiceHealth {
  if (sorry === undefined) return { ...wire, sorry: undefined };
  const { isStanding, ...destination } = sorry;
  return { ...wire, sorry: { ...destinationFromWire(destination), isStanding } };
}

export function destinationToWire(destination: DestinationSpec): WireDestination {
  const { endpoint, forwarding, weight, upperThreshold, lowerThreshold, drain } = destination;
  return {
    endpoint: endpointToWire(endpoint),
    forwarding,
    weight,
    upperThreshold,
    lowerThreshold,
    ...(drain === undefined ? {} : { drain: drainToWire(drain) }),
  };
}

export function destinationFromWire(wire: WireDestination): DestinationSpec {
  const { endpoint, weight, upperThreshold, lowerThreshold, drain } = wire;
  return {
    endpoint: endpointFromWire(endpoint),
    forwarding: forwardingFromWire(wire.forwarding),
    weight,
    upperThreshold,
    lowerThreshold,
    ...(drain === undefined ? {} : { drain: drainFromWire(drain) }),
  };
}

function drainToWire({ since, timeoutSeconds, ...rest }: Drain): WireDrain {
  const began = new Date(since).toISOString();
  return { since: began, timeoutSeconds: timeoutSeconds ?? null, ...rest };
}

function drainFromWire({ since, timeoutSeconds, ...rest }: WireDrain): Drain {
  return { since: Date.parse(since), timeoutSeconds: timeoutSeconds ?? undefined, ...rest };
}

export function statusToWire(status: ServiceStatus): WireServiceStatus {
  const { plan, counters, rates } = status;
  const destinations = status.destinations.map(destinationStatusToWire);
  return { ...serviceToWire(plan), destinations, counters, rates };
}

export function connectionToWire(connection: ConnectionStatus): WireConnection {
  return {
    protocol: connection.protocol,
    state: connection.state,
    expiresInMs: connection.expiresInMs,
    ageSeconds: connection.ageMs === undefined ? null : Math.floor(connection.ageMs / 1000),
    client: endpointToWire(connection.client),
    virtual: endpointToWire(connection.virtual),
    destination: endpointToWire(connection.destination),
    persistenceEngine: connection.persistenceEngine ?? null,
  };
}

const FLAG_NAMES = Object.keys(SCHEDULER_FLAG) as SchedulerFlagName[];

function destinationStatusToWire(status: DestinationStatus): WireDestinationStatus {
  const { plan, ...numbers } = status;
  return { ...destinationToWire(plan), ...numbers };
}

function addressFromWire(text: string): Address {
  const address = Address.parse(text);
  if (address === undefined) throw new TypeError(`Met ${JSON.stringify(text)} as an address`);
  return address;
}

function forwardingFromWire(wire: WireForwarding): Forwarding {
  if (wire.kind !== "tunnel" || wire.encapsulation !== "gue") return wire;
  return { ...wire, port: toPort(wire.port) };
}

function persistenceToWire(
  { timeoutSeconds, netmask }: Persistence,
  family: Family,
): WirePersistence {
  return family === "inet6"
    ? { timeoutSeconds, prefixLength: netmask }
    : { timeoutSeconds, netmask: Address.inet(netmask).toString() };
}

function persistenceFromWire(wire: WirePersistence, service: ServiceKey): Persistence {
  const { timeoutSeconds } = wire;
  if (familyOf(service) === "inet6") {
    if ("prefixLength" in wire) return { timeoutSeconds, netmask: wire.prefixLength };
    throw invalid(service, "an IPv6 service's persistence has a prefixLength, not a netmask");
  }
  if ("netmask" in wire) return { timeoutSeconds, netmask: addressFromWire(wire.netmask).w3 >>> 0 };
  throw invalid(service, "an IPv4 service's persistence has a netmask, not a prefixLength");
}

function invalid(service: ServiceKey, why: string): LbError {
  return new LbError({ code: "invalid", service, why });
}
