/** What a director is asked for: Sluice's daemon, else the kernel's IPVS. */
import { readFileSync } from "node:fs";
import { Client } from "../../api/client.ts";
import { socketPath } from "../../api/routes.ts";
import type { WireConnection } from "../../control/wire.ts";
import type { Skipped } from "../finding.ts";
import { kernelServices } from "./kernel-services.ts";
import { type DirectorTold, examinedService } from "./service.ts";

/** Enough to see what goes on, of a table that may have millions. */
const CONNECTIONS_MAX = 2_000;

/** Rejects with the daemon's own trouble when there is neither. */
export async function askDirector(skipped: Skipped[]): Promise<DirectorTold> {
  const client = new Client(socketPath(process.env), "sluice doctor");
  try {
    const [{ services }, timeouts, { findings }] = await Promise.all([
      client.call("listServices", {}, undefined),
      client.call("getTimeouts", {}, undefined),
      client.call("status", {}, undefined),
    ]);
    return {
      services: services.map(examinedService),
      timeouts,
      findings,
      connections: await someConnections(client),
    };
  } catch (error) {
    const table = readKernel();
    if (table === undefined) throw error;
    skipped.push({
      what: "connections and timeouts",
      why: "no sluice daemon answers; services are those of the kernel's IPVS",
    });
    return { services: kernelServices(table), timeouts: undefined, findings: [], connections: [] };
  } finally {
    client.close();
  }
}

async function someConnections(client: Client): Promise<readonly WireConnection[]> {
  const connections: WireConnection[] = [];
  for await (const connection of client.connections()) {
    connections.push(connection);
    if (connections.length === CONNECTIONS_MAX) break;
  }
  return connections;
}

function readKernel(): string | undefined {
  try {
    return readFileSync("/proc/net/ip_vs", "utf8");
  } catch {
    return undefined;
  }
}
