/** Services for a VIP that this real server itself would balance: Sluice's, and the kernel's. */
import { readFileSync } from "node:fs";
import { Client } from "../../api/client.ts";
import { socketPath } from "../../api/routes.ts";
import { Address } from "../../net/address.ts";
import type { OwnService } from "./facts.ts";

export async function ownServices(vip: Address): Promise<readonly OwnService[]> {
  return [...(await sluices(vip)), ...kernels(vip)];
}

async function sluices(vip: Address): Promise<readonly OwnService[]> {
  const client = new Client(socketPath(process.env), "sluice doctor");
  try {
    const { services } = await client.call("listServices", {}, undefined);
    return services.flatMap(({ key, destinations }) => {
      if (key.kind !== "endpoint" || key.endpoint.address !== vip.toString()) return [];
      const name = `${key.protocol.toUpperCase()} ${key.endpoint.address}:${key.endpoint.port}`;
      const servers = destinations.map(({ endpoint }) => Address.parse(endpoint.address)!);
      return [{ name, servers }];
    });
  } catch {
    // Nobody is there, or nobody who lets us ask: then it balances nothing that we could know of.
    return [];
  } finally {
    client.close();
  }
}

function kernels(vip: Address): readonly OwnService[] {
  try {
    return kernelServices(readFileSync("/proc/net/ip_vs", "utf8"), vip);
  } catch {
    return [];
  }
}

/** /proc/net/ip_vs: `TCP  C0A89664:0050 rr`, then `  -> C0A8960C:0050      Route   1      0          0`. */
export function kernelServices(table: string, vip: Address): readonly OwnService[] {
  const services: { name: string; servers: Address[] }[] = [];
  let isOurs = false;
  for (const line of table.split("\n")) {
    const [, protocol, at, port] = /^(TCP|UDP|SCTP) +([0-9A-F]{8}):([0-9A-F]{4}) /.exec(line) ?? [];
    if (protocol !== undefined) {
      isOurs = inetOf(at!).equals(vip);
      const name = `${protocol} ${vip.toString()}:${Number.parseInt(port!, 16)}`;
      if (isOurs) services.push({ name, servers: [] });
      continue;
    }
    const [, server] = /^ {2}-> +([0-9A-F]{8}):/.exec(line) ?? [];
    if (isOurs && server !== undefined) services.at(-1)?.servers.push(inetOf(server));
  }
  return services;
}

function inetOf(hex: string): Address {
  return Address.inet(Number.parseInt(hex, 16) | 0);
}
