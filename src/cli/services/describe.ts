/** `sluice describe`: all that is known of a service or a server. */

import type { Client } from "../../api/client.ts";
import { formatEndpointId, formatServiceId } from "../../api/ids.ts";
import type { ConnectionCount, ServiceHealthStatus } from "../../api/messages.ts";
import { writeConfiguration } from "../../configuration/write.ts";
import type { WireServiceStatus } from "../../control/wire.ts";
import { readFlags } from "../arguments.ts";
import { everyServer } from "../every-server.ts";
import { nameOf, type PickedServer, pickServers, pickService } from "../pick-servers.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { spellSeconds } from "../spell-time.ts";
import { healthText } from "../status/health.ts";
import { processSurroundings } from "../surroundings.ts";
import { serverRows, table } from "./get.ts";
import { contentStanding, type Standing, standing } from "./words.ts";

const HELP = `Usage: sluice describe [--json] SERVICE|SERVER|SERVICE/SERVER

All that is known of a service (how it is configured, its traffic, its servers and their health) or of a server in each of
its services (weight, traffic, drain, health), with its connections by state and age.

      --json   one JSON object: { what, health, connections }, with what GET /v1/services and /v1/health say of it
  -h, --help   this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 it could not be told, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("describe", around, async (client) => {
    const { flags, words } = readFlags(args, ["json"]);
    if (flags.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const [word, ...more] = words;
    if (word === undefined || more.length > 0) {
      throw new UsageError("expected one service, or one server");
    }
    const all = await standing(client);
    const service = asService(word, all);
    const parts =
      service === undefined ? await servers(client, word, all) : [await whole(client, service)];
    for (const { what, health, connections, text } of parts) {
      const says = health === undefined ? "" : healthText({ services: [health] }, new Date());
      await around.write(
        flags.json
          ? `${JSON.stringify({ what, health: health ?? null, connections }, undefined, 2)}\n`
          : `${text}${says.trimEnd() === "" ? "" : `${says.trimEnd()}\n`}${connectionText(connections)}`,
      );
    }
    return EXIT.done;
  });
}

interface Part {
  readonly what: object;
  /** What checks say, of a server alone that; undefined when nothing is checked. */
  readonly health: ServiceHealthStatus | undefined;
  readonly connections: ConnectionCount;
  readonly text: string;
}

function asService(word: string, { services, names }: Standing): WireServiceStatus | undefined {
  try {
    return pickService(word, services, names);
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

async function whole(client: Client, service: WireServiceStatus): Promise<Part> {
  const id = formatServiceId(service.key);
  const yaml = writeConfiguration(await contentStanding(client, id), [id]);
  const connections = await count(client, { service: id });
  const health = (await healthById(client)).get(id);
  const text = `${yaml}\n${trafficText(service)}\n${table(serverRows(service))}\n`;
  return { what: service, health, connections, text };
}

async function servers(client: Client, word: string, all: Standing): Promise<Part[]> {
  const parts: Part[] = [];
  const { services, isOut } = await everyServer(client);
  const healths = await healthById(client);
  for (const picked of pickServers(word, services, all.names)) {
    const { service, destination } = picked;
    const server = formatEndpointId(destination.endpoint);
    const id = formatServiceId(service.key);
    const connections = await count(client, { service: id, server });
    const health = ofServer(healths.get(id), server);
    const text = serverText(picked, isOut(destination));
    parts.push({ what: destination, health, connections, text });
  }
  return parts;
}

function serverText(picked: PickedServer, isOut: boolean): string {
  const { service, destination } = picked;
  if (isOut) return `${nameOf(picked)}\nOut of work: its checks say so.\n`;
  const rows = serverRows({ ...service, destinations: [destination] });
  return `${nameOf(picked)}\n${table(rows)}${trafficText(destination)}`;
}

async function healthById(client: Client): Promise<ReadonlyMap<string, ServiceHealthStatus>> {
  const { services } = await client.call("health", {}, undefined);
  return new Map(services.map((each) => [each.service, each]));
}

function ofServer(
  health: ServiceHealthStatus | undefined,
  server: string,
): ServiceHealthStatus | undefined {
  const destinations = health?.destinations.filter(({ destination }) => destination === server);
  return health && destinations?.length ? { ...health, destinations } : undefined;
}

function trafficText({ counters, rates }: Pick<WireServiceStatus, "counters" | "rates">): string {
  const { connections, inPackets, outPackets, inBytes, outBytes } = counters;
  const a = rates;
  const way = (packets: number, bytes: number): string =>
    `${Math.round(packets)} packets, ${Math.round(bytes)} bytes`;
  return `Traffic: ${connections} connections; in ${way(inPackets, inBytes)}; out ${way(outPackets, outBytes)}
A second: ${Math.round(a.connectionsPerSecond)} connections; in ${way(a.inPacketsPerSecond, a.inBytesPerSecond)}; out ${way(a.outPacketsPerSecond, a.outBytesPerSecond)}
`;
}

function count(client: Client, query: Readonly<Record<string, string>>): Promise<ConnectionCount> {
  return client.call("countConnections", { query: { ...query, by: "state" } }, undefined);
}

function connectionText({ count: all, groups, agesBelowSeconds, byAge }: ConnectionCount): string {
  const states = groups.map(({ name, count: each }) => `${each} ${name}`);
  const ages = byAge.map((each, index) => {
    const below = agesBelowSeconds[index];
    return below === undefined ? `${each} older` : `${each} younger than ${spellSeconds(below)}`;
  });
  if (all === 0) return "Entries: none\n";
  return `Entries: ${all} (${states.join(", ")})\nBy age: ${ages.join(", ")}\n`;
}
