/** The table of services and destinations, in every view: `ipvsadm -L`. Byte for byte, trailing blanks included. */

import type {
  WireDestinationStatus,
  WireForwarding,
  WireServiceStatus,
} from "../../control/wire.ts";
import type { Counters, Rates } from "../../ipvs/services/statistics.ts";
import type { TableListing, TableView } from "./command.ts";
import { formatLargeNumber } from "./large-number.ts";
import { type PrintEndpoint, protocolOf, signedMark } from "./printed-names.ts";
import { formatSchedulerFlags } from "./scheduler-flags.ts";
import { kernelOrder, sortDestinations, sortServices } from "./sort.ts";

/** An IPv4 service's column; an IPv6 service overflows it. */
const SERVICE_WIDTH = 33;

/** An IPv4 destination's column, after the arrow. */
const DESTINATION_WIDTH = 28;

const TITLE = "Prot LocalAddress:Port";
const REMOTE = "  -> RemoteAddress:Port";

/** The two title lines. */
// biome-ignore format: a table
const TITLES: Readonly<Record<TableView, string>> = {
  "default":         `${TITLE} Scheduler Flags\n${REMOTE}           Forward Weight ActiveConn InActConn\n`,
  "tun-info":        `${TITLE} Scheduler Flags\n${REMOTE}           Forward TunnelInfo    Weight ActiveConn InActConn\n`,
  "stats":           `${titles(["Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"])}\n${REMOTE}\n`,
  "rate":            `${titles(["CPS", "InPPS", "OutPPS", "InBPS", "OutBPS"])}\n${REMOTE}\n`,
  "thresholds":      `${TITLE.padEnd(SERVICE_WIDTH)} Uthreshold Lthreshold ActiveConn InActConn \n${REMOTE}\n`,
  "persistent-conn": `${TITLE.padEnd(SERVICE_WIDTH)} Weight    PersistConn ActiveConn InActConn \n${REMOTE}\n`,
};

export interface TableHeading {
  readonly ipvsVersion: string;
  readonly connectionTableSize: number;
}

/** The version line is left out when one service was asked for. */
export async function* renderServices(
  services: readonly WireServiceStatus[],
  listing: TableListing,
  heading: TableHeading,
  print: PrintEndpoint,
): AsyncGenerator<string> {
  if (listing.service === undefined) {
    const { ipvsVersion, connectionTableSize } = heading;
    yield `IP Virtual Server version ${ipvsVersion} (size=${connectionTableSize})\n`;
  }
  yield TITLES[listing.view];
  const inOrder = listing.isSorted ? sortServices(services) : kernelOrder(services);
  for (const service of inOrder) {
    yield await renderService(service, listing, print);
    const destinations = listing.isSorted
      ? sortDestinations(service.destinations)
      : service.destinations.toReversed();
    for (const destination of destinations) {
      const at = await print(destination.endpoint, protocolOf(service.key));
      yield renderDestination(
        destination,
        cut(at, DESTINATION_WIDTH, destination.endpoint.address),
        listing,
      );
    }
  }
}

async function renderService(
  service: WireServiceStatus,
  { view, isExact }: TableListing,
  print: PrintEndpoint,
): Promise<string> {
  const name = await serviceName(service, print);
  const column = name.padEnd(SERVICE_WIDTH);
  if (view === "stats") return `${column}${counters(service.counters, isExact)}\n`;
  if (view === "rate") return `${column}${rates(service.rates, isExact)}\n`;
  return `${name} ${service.scheduler}${flags(service)}\n`;
}

async function serviceName({ key }: WireServiceStatus, print: PrintEndpoint): Promise<string> {
  if (key.kind === "mark") {
    return `FWM  ${signedMark(key.mark)}${key.family === "inet6" ? " IPv6" : ""}`;
  }
  const { protocol, endpoint } = key;
  const name = `${protocol.toUpperCase().padEnd(4)} ${await print(endpoint, protocol)}`;
  return cut(name, SERVICE_WIDTH, endpoint.address);
}

function flags(service: WireServiceStatus): string {
  const { scheduler, persistence, persistenceEngine, onePacket } = service;
  const schedulerFlags = formatSchedulerFlags(service.schedulerFlags, scheduler);
  // sh and mh have no name for flag-3: alone it is printed as an empty list.
  let text = service.schedulerFlags.length === 0 ? "" : ` (${schedulerFlags})`;
  if (persistence !== null) {
    text += ` persistent ${persistence.timeoutSeconds}`;
    const mask = maskOf(persistence);
    if (mask !== undefined) text += ` mask ${mask}`;
    if (persistenceEngine !== null) text += ` pe ${persistenceEngine}`;
  }
  return onePacket ? `${text} ops` : text;
}

/** As text when it is narrower than one address. */
export function maskOf(
  persistence: NonNullable<WireServiceStatus["persistence"]>,
): string | undefined {
  if ("netmask" in persistence) {
    return persistence.netmask === "255.255.255.255" ? undefined : persistence.netmask;
  }
  return persistence.prefixLength === 128 ? undefined : String(persistence.prefixLength);
}

function renderDestination(
  destination: WireDestinationStatus,
  name: string,
  { view, isExact }: TableListing,
): string {
  const { weight, activeConnections, inactiveConnections } = destination;
  const arrow = `  -> ${name.padEnd(DESTINATION_WIDTH)}`;
  const connections = [column(activeConnections, 10), column(inactiveConnections, 10)];
  switch (view) {
    case "default": {
      const forward = FORWARD[destination.forwarding.kind].padEnd(7);
      return `${[arrow, forward, column(weight, 6), ...connections].join(" ")}\n`;
    }
    case "tun-info": {
      const forward = FORWARD[destination.forwarding.kind].padEnd(7);
      const tunnel = tunnelInfo(destination.forwarding).padEnd(13);
      return `${[arrow, forward, tunnel, column(weight, 6), ...connections].join(" ")}\n`;
    }
    case "stats":
      return `${arrow}${counters(destination.counters, isExact)}\n`;
    case "rate":
      return `${arrow}${destinationRates(destination.rates, isExact)}\n`;
    case "thresholds": {
      const { upperThreshold, lowerThreshold } = destination;
      const thresholds = [column(upperThreshold, 10), column(lowerThreshold, 10)];
      return `${[arrow, ...thresholds, ...connections].join(" ")}\n`;
    }
    case "persistent-conn": {
      const persistent = column(destination.persistentConnections, 11);
      return `${[arrow, column(weight, 9), persistent, ...connections].join(" ")}\n`;
    }
  }
}

const FORWARD = { masquerade: "Masq", tunnel: "Tunnel", route: "Route" } as const;

const CHECKSUM = { none: "-c", full: "+c", remote: "r+c" } as const;

function tunnelInfo(forwarding: WireForwarding): string {
  if (forwarding.kind !== "tunnel") return "n/a";
  switch (forwarding.encapsulation) {
    case "ipip":
      return "ipip";
    case "gre":
      return `gre:${CHECKSUM[forwarding.checksum]}`;
    case "gue":
      return `gue:${forwarding.port}:${CHECKSUM[forwarding.checksum]}`;
  }
}

function counters(of: Counters, isExact: boolean): string {
  const values = [of.connections, of.inPackets, of.outPackets, of.inBytes, of.outBytes];
  return values.map((value) => formatLargeNumber(value, isExact)).join("");
}

function rates(of: Rates, isExact: boolean): string {
  const values = [
    of.connectionsPerSecond,
    of.inPacketsPerSecond,
    of.outPacketsPerSecond,
    of.inBytesPerSecond,
    of.outBytesPerSecond,
  ];
  return values.map((value) => formatLargeNumber(value, isExact)).join("");
}

/** Of a destination only the bytes are ever cut to units. */
function destinationRates(of: Rates, isExact: boolean): string {
  const whole = [of.connectionsPerSecond, of.inPacketsPerSecond, of.outPacketsPerSecond]
    .map((value) => ` ${String(Math.floor(value)).padStart(8)}`)
    .join("");
  const bytes = [of.inBytesPerSecond, of.outBytesPerSecond]
    .map((value) => formatLargeNumber(value, isExact))
    .join("");
  return whole + bytes;
}

function column(value: number, width: number): string {
  return String(value).padEnd(width);
}

/** Names of IPv4 hosts are cut to their column, IPv6 never. */
function cut(name: string, width: number, address: string): string {
  return address.includes(":") ? name : name.slice(0, width);
}

function titles(columns: readonly string[]): string {
  return [TITLE.padEnd(SERVICE_WIDTH), ...columns.map((title) => title.padStart(8))].join(" ");
}
