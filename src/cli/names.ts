/** What services are called in the file that was applied last. */
import type { Client } from "../api/client.ts";
import { parseServiceId } from "../api/ids.ts";
import { formatServiceKey } from "../ipvs/desired/service.ts";

/** By service ids. */
export async function serviceNames(client: Client): Promise<ReadonlyMap<string, string>> {
  const { names } = await client.call("names", {}, undefined);
  return new Map(Object.entries(names));
}

/** The same, by formatServiceKey(). */
export async function serviceKeyNames(client: Client): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const [id, name] of await serviceNames(client)) {
    const key = parseServiceId(id);
    if (key !== undefined) names.set(formatServiceKey(key), name);
  }
  return names;
}
