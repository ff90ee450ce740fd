/** Connections that somebody asks for: listed, counted, ended. The filter stands in the path's query. */

import { connectionToWire } from "../control/wire.ts";
import { type ConnectionFilter, GROUPINGS, type Grouping } from "../ipvs/inquiry/filter.ts";
import type { ConnectionSummary } from "../ipvs/inquiry/summary.ts";
import { AGES_BELOW_MS } from "../ipvs/inquiry/summary.ts";
import { Address } from "../net/address.ts";
import { parsePrefix } from "../net/prefix.ts";
import { parseEndpointId } from "./ids.ts";
import type { ConnectionCount } from "./messages.ts";
import { BadRequest } from "./problem.ts";
import { readService } from "./reading.ts";

type Filter = { -readonly [Name in keyof ConnectionFilter]: ConnectionFilter[Name] };

/** What each word of a filter means. */
const TERMS: Readonly<Record<string, (filter: Filter, value: string) => boolean>> = {
  protocol: (filter, value) => {
    const found = (["TCP", "UDP", "SCTP", "IP"] as const).find(
      (each) => each === value.toUpperCase(),
    );
    filter.protocol = found;
    return found !== undefined;
  },
  client: (filter, value) => {
    const prefix = parsePrefix(value);
    const endpoint = prefix === undefined ? parseEndpointId(value) : undefined;
    filter.client = prefix ?? (endpoint && parsePrefix(endpoint.address.toString()));
    filter.clientPort = endpoint?.port;
    return filter.client !== undefined;
  },
  virtual: (filter, value) => {
    const { address, port } = addressOrEndpoint(value);
    filter.virtual = address;
    filter.virtualPort = port;
    return address !== undefined;
  },
  server: (filter, value) => {
    const { address, port } = addressOrEndpoint(value);
    filter.server = address;
    filter.serverPort = port;
    return address !== undefined;
  },
  service: (filter, value) => {
    filter.service = readService(value);
    return true;
  },
  state: (filter, value) => {
    filter.state = value.toUpperCase();
    return /^[A-Z_]+$/.test(filter.state);
  },
  older: (filter, value) => {
    filter.olderThanMs = Number(value) * 1000;
    return /^\d{1,9}$/.test(value);
  },
  templates: (filter, value) => {
    filter.isTemplate = value === "only";
    return value === "only" || value === "none";
  },
};

const EXPECTED: Readonly<Record<string, string>> = {
  protocol: "tcp, udp, sctp or ip",
  client: "an address, 10.0.0.0/8, or 10.0.0.9:4711",
  virtual: "an address, or 10.0.0.1:80",
  server: "an address, or 10.0.0.2:80",
  state: "a state's name such as ESTABLISHED",
  older: "seconds",
  templates: "only or none",
};

/** `others` are words of the query that are no part of the filter. Throws a BadRequest. */
export function readFilter(
  query: Readonly<Record<string, string>>,
  others: readonly string[] = [],
): ConnectionFilter {
  const filter: Filter = {};
  for (const [name, value] of Object.entries(query)) {
    if (others.includes(name)) continue;
    if (!Object.hasOwn(TERMS, name)) {
      throw new BadRequest(`${name}: expected one of ${Object.keys(TERMS).join(", ")}`);
    }
    if (TERMS[name]!(filter, value)) continue;
    throw new BadRequest(`${name}: expected ${EXPECTED[name]}, got ${JSON.stringify(value)}`);
  }
  return filter;
}

/** Throws a BadRequest unless there is a filter, or `all=true` says that none is meant. */
export function readEndFilter(query: Readonly<Record<string, string>>): ConnectionFilter {
  const filter = readFilter(query, ["all"]);
  if (Object.keys(filter).length === 0 && query.all !== "true") {
    throw new BadRequest("Which connections? Expected a filter, or all=true for every one");
  }
  return filter;
}

export function readGrouping(text: string | undefined): Grouping | undefined {
  if (text === undefined) return undefined;
  const by = GROUPINGS.find((each) => each === text);
  if (by !== undefined) return by;
  throw new BadRequest(`by: expected one of ${GROUPINGS.join(", ")}, got ${JSON.stringify(text)}`);
}

/** Groups that are told, the largest. */
const GROUPS_TOLD = 1_000;

export function countToWire(summary: ConnectionSummary): ConnectionCount {
  const { count, groups, others, byAge, oldest } = summary;
  const rest = groups.slice(GROUPS_TOLD).reduce((sum, group) => sum + group.count, others);
  return {
    count,
    groups: groups.slice(0, GROUPS_TOLD),
    others: rest,
    agesBelowSeconds: AGES_BELOW_MS.map((each) => each / 1000),
    byAge,
    oldest: oldest.map(connectionToWire),
  };
}

function addressOrEndpoint(text: string): {
  readonly address: Address | undefined;
  readonly port: number | undefined;
} {
  const address = Address.parse(text);
  if (address !== undefined) return { address, port: undefined };
  const endpoint = parseEndpointId(text);
  return { address: endpoint?.address, port: endpoint?.port };
}
